"""The checks of every node of a plan before Start, and what the operator accepts of them."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.db import connections
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.preflight import CheckOutcome, Level, NodeSetup, SharedAnswers, stored_runs
from setup_wizard.clusters import host_checks, plans
from setup_wizard.clusters.document import InvalidPlan, PlanDocument, PlanKind
from setup_wizard.clusters.models import Plan
from setup_wizard.clusters.setups import planned_setup
from setup_wizard.nodes.address import AddressInvalid

MAX_AT_ONCE: Final = 16

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class NodeChecks:
    """The results for one node, with those of its pasted host facts; `token` changes with every result.

    `is_checked` says that checks have been run: the host facts are there without them.
    """

    position: int
    address: str
    outcomes: Sequence[CheckOutcome]
    is_checked: bool
    token: str = ""

    def of(self, *levels: Level) -> list[CheckOutcome]:
        """Give the results of these levels that say something."""
        return [each for each in self.outcomes if each.result.level in levels and each.result.message]

    @property
    def problems(self) -> list[CheckOutcome]:
        """Failed checks, warnings, then what was not checked."""
        return self.of(Level.FAILED, Level.WARNING, Level.NOT_CHECKED)

    @property
    def is_pending(self) -> bool:
        """Whether a result is still to come."""
        return any(each.result.level is Level.PENDING for each in self.outcomes)

    @property
    def is_blocked(self) -> bool:
        """Whether Start is refused, whatever is accepted."""
        return any(each.result.blocks for each in self.outcomes)

    def missing(self, reasons: Mapping[str, str]) -> list[CheckOutcome]:
        """Give the results that need consent and have no reason yet."""
        return [each for each in self.outcomes if each.result.needs_consent and each.name not in reasons]


def problems_of(content: PlanDocument) -> dict[str, list[str]]:
    """Say what the plan lacks, by the path of the field; empty when it is complete."""
    fields: dict[str, list[str]] = {}
    if not content.nodes:
        fields["nodes"] = ["Enter at least one node."]
    if content.kind is PlanKind.CREATE and not content.cluster.name:
        fields["cluster.name"] = ["Enter the cluster's full name, such as redis-prod.example.com."]
    addresses = [node.address for node in content.nodes]
    for position, node in enumerate(content.nodes):
        if node.address in addresses[:position]:
            fields.setdefault(f"nodes.{position}.address", []).append(f"{node.address} stands twice in the plan.")
        if content.cluster.rack_aware and not node.rack_id:
            message = f"{node.address} needs a rack ID: the cluster is rack-aware."
            fields.setdefault(f"nodes.{position}.rack_id", []).append(message)
        try:
            planned_setup(content, position)
        except InvalidPlan as error:
            for path, messages in error.fields.items():
                fields.setdefault(path, []).extend(each for each in messages if each not in fields.get(path, []))
        except AddressInvalid as error:
            fields.setdefault(f"nodes.{position}.address", []).append(str(error))
    return fields


def owner_of(plan: UUID, address: str) -> UUID:
    """The id under which the results for one node are stored."""
    return uuid5(plan, address)


def start(plan: Plan, *, by: User, again: bool = False) -> None:
    """Begin the checks of every node in the background; results that are still right are kept, unless `again`."""
    shared = SharedAnswers()
    for position, setup in enumerate(_setups(plan, by)):
        owner = owner_of(plan.pk, plan.content.nodes[position].address)
        stored_runs.start(owner, plan.version, setup, by=by, again=again, shared=shared)


def read(plan: Plan) -> list[NodeChecks]:
    """Read the results for every node."""
    addresses = [node.address for node in plan.content.nodes]
    hosts = host_checks.outcomes_of(plan)
    runs = stored_runs.read_all([owner_of(plan.pk, address) for address in addresses], plan.version)
    return [
        NodeChecks(position, address, (*run.outcomes, *hosts.get(address, ())), bool(run.outcomes), run.token)
        for position, (address, run) in enumerate(zip(addresses, runs, strict=True))
    ]


def complete(plan: Plan, *, by: User) -> list[NodeChecks]:
    """Give every result for Start: fresh ones as they are, running ones when they end, the rest by checking now."""
    setups, hosts, shared = _setups(plan, by), host_checks.outcomes_of(plan), SharedAnswers()

    def finish(position: int) -> NodeChecks:
        address = plan.content.nodes[position].address
        owner = owner_of(plan.pk, address)
        outcomes = stored_runs.complete(owner, plan.version, setups[position], by=by, shared=shared)[1]
        return NodeChecks(position, address, (*outcomes, *hosts.get(address, ())), is_checked=True)

    return side_by_side(finish, range(len(setups)))


def side_by_side(work: Callable[[int], Answer], positions: Sequence[int]) -> list[Answer]:
    """Do the same for several nodes at once, each in a thread with a database connection of its own."""

    def in_thread(position: int) -> Answer:
        try:
            return work(position)
        finally:
            connections.close_all()

    if not positions:
        return []
    with ThreadPoolExecutor(min(MAX_AT_ONCE, len(positions)), thread_name_prefix="plan") as pool:
        return list(pool.map(in_thread, positions))


@sensitive_variables()
def _setups(plan: Plan, by: User) -> list[NodeSetup]:
    content = plan.content
    try:
        credentials = plans.open_credentials(plan, by=by)
    except vault.SecretUnavailable:
        credentials = None
    stored_at = vault.stored_at(plan.pk) if credentials else None
    setups = [planned_setup(content, position, credentials) for position in range(len(content.nodes))]
    return [replace(setup, credentials_stored_at=stored_at) for setup in setups]
