"""Read, check and start a plan that arrives whole, with its credentials: over the API, or as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

from django.contrib.auth.models import User
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, StringConstraints, ValidationError
from pydantic_core import CoreSchema

from setup_wizard.attempts.engine import count_start
from setup_wizard.attempts.preflight import CHECKS, CheckOutcome, CheckRun, Findings, Reviewed, SharedAnswers
from setup_wizard.attempts.preflight.findings import Unknown
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials, InvalidRequest, check_client_certificate, parse_request
from setup_wizard.bootstrap.request.errors import messages_of, pydantic_errors
from setup_wizard.bootstrap.request.models import RequestObject
from setup_wizard.bootstrap.text import clean
from setup_wizard.clusters import checking, engine, host_checks, plans
from setup_wizard.clusters.document import OLD_MACHINES_OFF, InvalidPlan, PlanDocument, PlanKind, PlannedNode
from setup_wizard.clusters.host_facts import MAX_PASTED, HostFacts, HostFactsInvalid, read_host_facts
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.clusters.requests import plan_path
from setup_wizard.clusters.setups import planned_members, planned_setup
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.certificates import normalise_fingerprint
from setup_wizard.nodes.probe import Probe

MAX_MEMBERS_PROBED: Final = 3
_OF_CERTIFICATES: Final = {"certificate": "fingerprint", "member_certificate": "member_fingerprint"}


_OTHER_HOSTS: Final = "No node of this plan was found in the text: no fingerprint in it is that of a node here."


class PlanOverride(RequestObject):
    """A check to accept and why: at the node with this address, or at every node."""

    name: Annotated[str, StringConstraints(max_length=64)]
    reason: Annotated[str, StringConstraints(max_length=300)] = ""
    address: Annotated[str, StringConstraints(max_length=300)] = ""


class _OrName:
    """Describe an entry that can be a bare name."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "maxLength": 64}, handler(schema)]}


def _read_name(entry: object) -> object:
    return {"name": entry} if isinstance(entry, str) else entry


Override = Annotated[PlanOverride, BeforeValidator(_read_name), _OrName()]


class WholePlan(PlanDocument):
    """A plan with the credentials of the cluster's administrator, and with the checks that are accepted."""

    credentials: Credentials | None = Field(default=None, repr=False)
    overrides: Annotated[tuple[Override, ...], Field(strict=False, max_length=256)] = ()
    host_facts: Annotated[
        str,
        Field(
            max_length=MAX_PASTED,
            repr=False,
            description="What the command for the hosts printed, of all nodes in one text. Its checks never block.",
        ),
    ] = ""
    old_machines_off: Annotated[bool, Field(description=f"{OLD_MACHINES_OFF}. A recovery needs it.")] = False

    @property
    def content(self) -> PlanDocument:
        """What of it is stored in clear."""
        return PlanDocument.model_construct(**{name: getattr(self, name) for name in PlanDocument.model_fields})

    def reasons_for(self, address: str) -> dict[str, str]:
        """Give the reason for each check that is accepted at this node."""
        return {each.name: each.reason.strip() for each in self.overrides if each.address in ("", address)}

    def hosts(self) -> dict[str, HostFacts]:
        """Give what was printed on each node, by the fingerprint of its certificate.

        Raises:
            HostFactsInvalid: the text cannot be used, or is about no node of this plan.
        """
        if not self.host_facts.strip():
            return {}
        prints = {node.fingerprint for node in self.nodes}
        found = {each.fingerprint: each for each in read_host_facts(self.host_facts) if each.fingerprint in prints}
        if not found:
            raise HostFactsInvalid(_OTHER_HOSTS)
        return found


@dataclass(frozen=True, slots=True)
class CheckedNode:
    """A node of the plan with its checks; `path_of` gives the field of the plan that a check is about."""

    position: int
    address: str
    outcomes: Sequence[CheckOutcome]
    refused: Sequence[CheckOutcome]
    findings: Findings = field(repr=False)

    def path_in_plan(self, path: str) -> str:
        """Give where a field of this node's request stands in the plan."""
        return plan_path(path, self.position)

    def path_of(self, outcome: CheckOutcome) -> str:
        """Give the field of the plan that a check of this node is about; empty when it is about none."""
        part = _OF_CERTIFICATES.get(outcome.name, outcome.result.part)
        return part if part == "member_fingerprint" else plan_path(part, self.position)


class ChecksFailed(Exception):
    """Checks refuse the start; `nodes` has the results of all."""

    def __init__(self, nodes: Sequence[CheckedNode]) -> None:
        super().__init__(f"checks refuse {sum(bool(node.refused) for node in nodes)} of {len(nodes)} nodes")
        self.nodes = nodes

    @property
    def fields(self) -> dict[str, list[str]]:
        """What the checks found, by the field of the plan."""
        found: dict[str, list[str]] = {}
        for node in self.nodes:
            for each in node.refused:
                advice = "" if each.result.blocks else f" To start anyway, name {each.name} in overrides."
                found.setdefault(node.path_of(each), []).append(f"{each.result.message}{advice}")
        return found


@sensitive_variables()
def read_whole_plan(document: object) -> WholePlan:
    """Read a plan with its credentials; addresses and fingerprints get the spelling that they have here.

    Raises:
        InvalidPlan: with every error; the paths are those of the document.
    """
    if not isinstance(document, Mapping):
        raise InvalidPlan({"": ["A plan must be a JSON object."]})
    fields: dict[str, list[str]] = {}
    plan: WholePlan | None = None
    try:
        plan = WholePlan.model_validate(document)
    except ValidationError as error:
        fields = messages_of(pydantic_errors(error), WholePlan)
    if plan is None:  # outside the handler, because pydantic's error contains the input
        raise InvalidPlan(fields)
    plan, fields = _normalised(plan)
    fields |= _credential_errors(plan, document)
    if not fields:
        fields = checking.problems_of(plan.content)
    if not fields:
        fields = _override_errors(plan) | _host_errors(plan)
    if fields:
        raise InvalidPlan(fields)
    return plan


def check_whole_plan(plan: WholePlan, *, by: User) -> list[CheckedNode]:
    """Run every check of every node. Nothing is changed, and nothing is approved.

    Raises:
        InvalidPlan: the cluster to extend cannot be asked, or its certificate is not approved.
        TooManyRequests, TooManyProbes: `by` has reached a limit.
    """
    count_start(by)
    return _check(plan, by)


@sensitive_variables()
def start_whole_plan(plan: WholePlan, *, by: User) -> Run:
    """Check every node, approve the certificates that the plan names, and begin the run.

    Raises:
        ChecksFailed: a check refuses the start; nothing was changed.
        InvalidPlan: as `check_whole_plan`, and for a recovery without `old_machines_off`.
        TooManyRequests, TooManyProbes: as `check_whole_plan`.
    """
    if plan.kind is PlanKind.RECOVER and not plan.old_machines_off:
        message = f"Make sure of this, then send true: {OLD_MACHINES_OFF.lower()}."
        raise InvalidPlan({"old_machines_off": [message]})
    nodes = check_whole_plan(plan, by=by)
    if any(node.refused for node in nodes):
        raise ChecksFailed(nodes)
    for node in nodes:
        _approve(node.findings.node, plan.nodes[node.position].fingerprint, by)
        _approve(node.findings.member, plan.member_fingerprint, by)
    saved = plans.add(plan.content, by=by)
    try:
        return _begin(plan, saved, by)
    except Exception:
        plans.discard(saved)
        raise


@sensitive_variables()
def _begin(plan: WholePlan, saved: Plan, by: User) -> Run:
    plans.store_credentials(saved, plan.credentials or Credentials(), by=by)
    overrides = {
        node.address: [{"name": name, "reason": reason} for name, reason in plan.reasons_for(node.address).items()]
        for node in plan.nodes
    }
    accepted = {address: found for address, found in overrides.items() if found}
    return engine.begin_run(
        saved,
        version=saved.version,
        secret_id=saved.pk,
        by=by,
        overrides=accepted,
        old_machines_off=plan.old_machines_off,
    )


def _approve(probe: Probe | Unknown | None, named: str, by: User) -> None:
    if isinstance(probe, Probe) and probe.certificate.fingerprint == named:
        trust.approve(probe.endpoint, probe.certificate, by=by)


def approve_named(address: str, fingerprint: str, *, by: User) -> None:
    """Approve the certificate of a node if its fingerprint is the named one.

    Raises:
        ValueError: it shows another one, or the text is no fingerprint.
        ProbeFailed: it does not answer.
    """
    named = normalise_fingerprint(fingerprint)
    probe = probing.probe_node(address, by=by, in_plan=True)
    if probe.certificate.fingerprint != named:
        raise ValueError(f"{address} shows another certificate: {probe.certificate.fingerprint}.")
    trust.approve(probe.endpoint, probe.certificate, by=by)


def _normalised(plan: WholePlan) -> tuple[WholePlan, dict[str, list[str]]]:
    fields: dict[str, list[str]] = {}
    nodes: list[PlannedNode] = []
    for position, node in enumerate(plan.nodes):
        path, changes = f"nodes.{position}", {}
        try:
            changes["address"] = str(Address.parse(node.address))
        except AddressInvalid as error:
            fields[f"{path}.address"] = [str(error)]
        try:
            changes["fingerprint"] = normalise_fingerprint(node.fingerprint)
        except ValueError as error:
            missing = "Name the SHA-256 fingerprint of the node's certificate, compared with the node itself."
            fields[f"{path}.fingerprint"] = [str(error) if node.fingerprint else missing]
        nodes.append(node.model_copy(update=changes))
    changed: dict[str, Any] = {"nodes": tuple(nodes)}
    if plan.member_fingerprint:
        try:
            changed["member_fingerprint"] = normalise_fingerprint(plan.member_fingerprint)
        except ValueError as error:
            fields["member_fingerprint"] = [str(error)]
        if not plan.members:
            fields["member_fingerprint"] = ["Only a plan with members has a member. Leave this out."]
    if plan.credentials and plan.credentials.username:
        if plan.username not in ("", plan.credentials.username):
            fields["username"] = ["This is another user name than that of the credentials. Leave this out."]
        changed["username"] = plan.credentials.username
    elif plan.credentials and plan.credentials.password:
        changed["credentials"] = plan.credentials.model_copy(update={"username": plan.username})
    overrides = tuple(map(_normalised_override, plan.overrides))
    return plan.model_copy(update=changed | {"overrides": overrides}), fields


def _normalised_override(override: PlanOverride) -> PlanOverride:
    try:
        return override.model_copy(update={"address": str(Address.parse(override.address))})
    except AddressInvalid:
        return override


@sensitive_variables()
def _credential_errors(plan: WholePlan, document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Check that the credentials are complete; a new cluster needs a user name and a password."""
    entered = document.get("credentials")
    known = dict(entered) if isinstance(entered, Mapping) else {}
    if plan.username and not known.get("client_cert"):
        known.setdefault("username", plan.username)
    sample: dict[str, Any] = {"action": Action.CREATE.value, "cluster": {"name": "redis.example.com"}}
    if plan.kind is PlanKind.EXTEND:
        sample = {"action": Action.JOIN.value, "cluster": {"nodes": ["10.0.0.1"]}}
    elif known.get("client_cert") or known.get("client_key"):
        return {"credentials": ["Only a plan with members can sign in with a client certificate."]}
    try:
        credentials = parse_request(sample | {"credentials": known}).credentials
        if credentials and credentials.client_cert:
            check_client_certificate(credentials, timezone.now())
    except InvalidRequest as error:
        return {
            path if path.startswith("credentials") else f"credentials.{path}": messages
            for path, messages in error.fields.items()
        }
    return {}


def _override_errors(plan: WholePlan) -> dict[str, list[str]]:
    known, addresses = {check.name for check in CHECKS}, {node.address for node in plan.nodes}
    wrong = []
    for each in plan.overrides:
        if each.name not in known:
            wrong.append(f"There is no check named {clean(each.name, 64)}.")
        if each.address and each.address not in addresses:
            wrong.append(f"{clean(each.address, 64)} is no node of this plan.")
    return {"overrides": wrong} if wrong else {}


def _host_errors(plan: WholePlan) -> dict[str, list[str]]:
    try:
        plan.hosts()
    except HostFactsInvalid as error:
        return {"host_facts": [str(error)]}
    return {}


@sensitive_variables()
def _check(plan: WholePlan, by: User) -> list[CheckedNode]:
    member = _probe_member(plan, by) if plan.kind is PlanKind.EXTEND else None
    content = plan.content
    if member and not plan.member_fingerprint:
        content = content.model_copy(update={"member_fingerprint": member.certificate.fingerprint})

    shared, hosts = SharedAnswers(), plan.hosts()

    @sensitive_variables()
    def check(position: int) -> CheckedNode:
        setup = replace(planned_setup(content, position, plan.credentials), names_certificates=True)
        found = Findings(node=_probe(setup.address, by), member=member)
        if member:
            others = tuple(each for each in setup.members if each != member.address)
            setup = replace(setup, members=(member.address, *others))
        run = CheckRun(setup, by, findings=found, shared=shared)
        facts = hosts.get(setup.fingerprint)
        outcomes = [*run.run(), *(host_checks.judge(facts) if facts else ())]
        run.finish()
        reviewed = Reviewed(findings=found, outcomes=outcomes, reasons=plan.reasons_for(str(setup.address)))
        refused = [each for each in outcomes if not reviewed.allows(each)]
        return CheckedNode(position, str(setup.address), outcomes, refused, found)

    return checking.side_by_side(check, range(len(plan.nodes)))


def _probe(address: Address, by: User) -> Probe | Unknown:
    try:
        return probing.probe_node(address, by=by, in_plan=True)
    except probing.TooManyProbes:
        raise
    except probing.ProbeFailed as failure:
        return Unknown(failure.message)


def _probe_member(plan: WholePlan, by: User) -> Probe:
    """Probe the first member that answers; its certificate is named, or approved already."""
    failures = []
    for address in planned_members(plan).reachable[:MAX_MEMBERS_PROBED]:
        answer = _probe(address, by)
        if not isinstance(answer, Probe):
            failures.append(answer.message)
            continue
        if not plan.member_fingerprint and not trust.is_approved(answer.endpoint.key, answer.certificate.fingerprint):
            message = (
                f"The certificate of {address} is not approved. Probe the member, compare the fingerprint with the "
                "member itself, and name it here."
            )
            raise InvalidPlan({"member_fingerprint": [message]})
        return answer
    raise InvalidPlan({"members": failures})
