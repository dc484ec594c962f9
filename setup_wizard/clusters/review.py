"""All nodes of a plan with their checks on one page, and Start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.attempts.preflight import CheckOutcome
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.clusters import checking, engine, plans
from setup_wizard.clusters.checking import NodeChecks
from setup_wizard.clusters.document import PlanKind
from setup_wizard.clusters.forms import LEFT_OUT
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.clusters.node_rows import NodeRow, rows_of
from setup_wizard.clusters.requests import plan_path
from setup_wizard.clusters.setups import planned_setup
from setup_wizard.wizard.checks import NOTHING_ACCEPTED, Accepted
from setup_wizard.wizard.permanent import list_permanent

_FIELDS: Final = {
    "cluster.name": "name",
    "cluster.rack_aware": "rack_aware",
    "credentials.username": "username",
    "credentials.password": "password",
    "defaults.paths.persistent_path": "persistent_path",
    "defaults.paths.ephemeral_path": "ephemeral_path",
    "license": "license",
    "recovery_filename": "recovery_filename",
}
"""The field for each part of a plan, on the page of the cluster."""
_COLUMNS: Final = ("addr", "rack_id", "external_addr")


@dataclass(frozen=True, slots=True)
class Problems:
    """What the checks found on one or more nodes: each result with the URL of the field that it is about."""

    nodes: list[NodeChecks]
    checks: list[tuple[CheckOutcome, str]]


@dataclass(frozen=True, slots=True)
class PlanReview:
    """What the review page of a plan shows; `typed` is what was ticked and typed, by "address:name of the check"."""

    plan: Plan
    rows: list[NodeRow]
    nodes: list[NodeChecks]
    permanent: list[tuple[str, str, str]]
    typed: Accepted = NOTHING_ACCEPTED
    typed_old_machines_off: bool = False

    @property
    def is_new_cluster(self) -> bool:
        """Whether the plan creates a cluster."""
        return self.plan.kind is PlanKind.CREATE

    @property
    def is_recovery(self) -> bool:
        """Whether a lost cluster is recovered, so that its old machines must be off."""
        return self.plan.kind is PlanKind.RECOVER

    @property
    def matrix(self) -> list[tuple[str, list[CheckOutcome | None]]]:
        """The title of each check with its result for every node; None where it does not apply."""
        titles = dict.fromkeys(each.title for node in self.nodes for each in node.outcomes)
        return [(title, [self._outcome(node, title) for node in self.nodes]) for title in titles]

    def _outcome(self, node: NodeChecks, title: str) -> CheckOutcome | None:
        return next((each for each in node.outcomes if each.title == title and each.result.message), None) or next(
            (each for each in node.outcomes if each.title == title), None
        )

    @property
    def with_problems(self) -> list[NodeChecks]:
        """The nodes with a failed check, a warning or a check that was not made."""
        return [node for node in self.nodes if node.problems]

    @property
    def alike(self) -> list[Problems]:
        """Their problems, once for all nodes that have the same ones; a node with something to accept stands alone."""
        found: dict[object, list[NodeChecks]] = {}
        for node in self.with_problems:
            is_own = any(each.result.needs_consent for each in node.problems)
            said = tuple((each.name, each.result.message) for each in node.problems)
            found.setdefault(node.position if is_own else said, []).append(node)
        return [
            Problems(nodes, [(each, _change_url(self.plan, nodes[0].position, each)) for each in nodes[0].problems])
            for nodes in found.values()
        ]

    @property
    def is_pending(self) -> bool:
        """Whether a check is still running."""
        return any(node.is_pending for node in self.nodes)

    @property
    def is_checked(self) -> bool:
        """Whether any node has been checked; what was pasted about its host does not count."""
        return any(node.is_checked for node in self.nodes)

    @property
    def unchecked(self) -> list[NodeChecks]:
        """The nodes that have not been checked."""
        return [node for node in self.nodes if not node.is_checked]

    @property
    def is_blocked(self) -> bool:
        """Whether Start is refused, whatever is accepted."""
        return any(node.is_blocked for node in self.nodes)

    @property
    def needs_consent(self) -> bool:
        """Whether something has to be accepted before Start."""
        return any(node.missing({}) for node in self.nodes)

    @property
    def token(self) -> str:
        """Changes with every result."""
        return "-".join(node.token for node in self.nodes)


class StartRefused(Exception):
    """Start was refused; `review` and `message` say why."""

    def __init__(self, review: PlanReview, message: str) -> None:
        super().__init__(message)
        self.review = review
        self.message = message


def build_review(plan: Plan) -> PlanReview:
    """Collect the nodes and the results of their checks; no node is asked."""
    rows = rows_of(plan)
    return PlanReview(plan, rows, checking.read(plan), _list_permanent(plan, rows))


def _change_url(plan: Plan, position: int, outcome: CheckOutcome) -> str:
    """Return where the field is that a check of this node is about; empty when no page of a plan has it."""
    kind = plan.kind
    path = plan_path(outcome.result.part, position)
    of_node = path.removeprefix(f"nodes.{position}.")
    if of_node == "address" and outcome.name != "new_certificate":
        return reverse("clusters:nodes", args=[plan.pk])
    if of_node in _COLUMNS or (of_node == "uid" and position and kind is PlanKind.RECOVER):
        field = f"{of_node}-{position}"
    else:
        field = "accept_new_certificate" if of_node == "address" else _FIELDS.get(path, "")
    if not field or field in LEFT_OUT[kind]:
        return ""
    return f"{reverse('clusters:cluster', args=[plan.pk])}#id_{field}"


def _list_permanent(plan: Plan, rows: Sequence[NodeRow]) -> list[tuple[str, str, str]]:
    """List what the plan decides for good: label, the value, or one for each node, and the consequence."""
    values: dict[str, dict[str, str]] = {}
    consequences: dict[str, str] = {}
    for position, row in enumerate(rows):
        probe = row.summary.probe if row.summary else None
        facts = probe.answer.node if probe and probe.answer else NodeFacts()
        request = planned_setup(plan.content, position).request
        for label, value, consequence, _ in list_permanent(request, probe.endpoint.ip if probe else "", facts):
            values.setdefault(label, {})[row.address] = value
            consequences.setdefault(label, consequence)
    return [(label, _by_node(found), consequences[label]) for label, found in values.items()]


def _by_node(values: Mapping[str, str]) -> str:
    """Write a value that all nodes share, or else one line for each node."""
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    apart = "\n" if any("\n" in value for value in values.values()) else " "
    return "\n".join(f"{address}:{apart}{value}" for address, value in values.items())


def start(plan: Plan, accepted: Accepted, *, old_machines_off: bool, version: int, by: User) -> Run:
    """Begin the run of the reviewed version of the plan.

    Raises:
        PlanStale: the plan was changed after it was reviewed.
        StartRefused: a check blocks it, or something was not accepted.
        SecretUnavailable: the password has expired, or somebody else entered it.
    """
    if plan.version != version:
        raise plans.PlanStale
    plans.open_credentials(plan, by=by)
    nodes = checking.complete(plan, by=by)
    reasons = read_reasons(accepted, nodes)
    message = _refusal(nodes, reasons, permanent=accepted.permanent)
    if not message and plan.kind is PlanKind.RECOVER and not old_machines_off:
        message = "Confirm that the machines of the old cluster are off. No node was changed."
    if message:
        shown = build_review(plan)
        review = replace(shown, nodes=nodes, typed=accepted, typed_old_machines_off=old_machines_off)
        raise StartRefused(review, message)
    overrides = {
        address: [{"name": name, "reason": reason} for name, reason in of_node.items()]
        for address, of_node in reasons.items()
    }
    try:
        return engine.begin_run(
            plan,
            version=version,
            secret_id=plan.pk,
            by=by,
            overrides=overrides,
            accepted_permanent=accepted.permanent,
            old_machines_off=old_machines_off,
        )
    except engine.PlanChanged as error:
        raise plans.PlanStale from error


def read_reasons(accepted: Accepted, nodes: Sequence[NodeChecks]) -> dict[str, dict[str, str]]:
    """Give the reason for each result that is accepted, by address and name of the check.

    A result with a `confirmation` needs only the tick; any other that needs consent also needs a typed reason.
    """
    found: dict[str, dict[str, str]] = {}
    for node in nodes:
        for each in node.missing({}):
            key = f"{node.address}:{each.name}"
            reason = each.result.confirmation or accepted.typed_reasons.get(key, "")
            if key in accepted.names and reason:
                found.setdefault(node.address, {})[each.name] = reason
    return found


def _refusal(nodes: list[NodeChecks], reasons: Mapping[str, Mapping[str, str]], *, permanent: bool) -> str:
    if any(node.is_blocked for node in nodes):
        return "A check of a node failed. No node was changed."
    if any(node.missing(reasons.get(node.address, {})) for node in nodes):
        return "Answer the checks below: tick each box, and enter a reason where there is a field. No node was changed."
    if not permanent:
        return "Read what cannot be undone later and tick the box. No node was changed."
    return ""
