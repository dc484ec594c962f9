"""What is started for one node of a plan: the request, the members to ask and what was approved."""

from dataclasses import dataclass, replace

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import NodeSetup
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.clusters.document import PlanDocument, PlanKind
from setup_wizard.clusters.requests import request_of
from setup_wizard.nodes.address import DEFAULT_PORT, Address


@dataclass(frozen=True, slots=True)
class Members:
    """Nodes that are in the cluster: their internal addresses for the request, and where this server reaches them.

    `fingerprint` is the approved certificate of the first.
    """

    internal: tuple[str, ...] = ()
    reachable: tuple[Address, ...] = ()
    fingerprint: str = ""


def members_of(plan: PlanDocument, done: list[Attempt]) -> Members:
    """The members through which the next node joins: those that the plan names, or else the nodes that are done."""
    if plan.kind is PlanKind.EXTEND:
        port = plan.cnm_https_port or DEFAULT_PORT
        reachable = tuple(Address(host.strip("[]"), port) for host in plan.members)
        return Members(plan.members, reachable, plan.member_fingerprint)
    return Members(
        tuple(_internal_address(attempt) for attempt in done),
        tuple(Address.parse(attempt.address) for attempt in done),
        done[0].current_fingerprint if done else "",
    )


def planned_members(plan: PlanDocument) -> Members:
    """The members as they will be: those that the plan names, or else its first node."""
    if plan.kind is PlanKind.EXTEND or not plan.nodes:
        return members_of(plan, [])
    first = Address.parse(plan.nodes[0].address)
    return Members((plan.nodes[0].addr or first.host,), (first,))


def planned_setup(plan: PlanDocument, position: int, credentials: Credentials | None = None) -> NodeSetup:
    """Return what will be started for the node at this position, as far as it is known before the run.

    Raises:
        InvalidPlan, AddressInvalid: as `setup_of`.
    """
    setup = setup_of(plan, position, planned_members(plan), credentials)
    if plan.kind is PlanKind.EXTEND or plan.action_of(position) is not Action.JOIN:
        return setup
    return replace(setup, members=(), member_fingerprint=None, cluster_comes_later=True)


def setup_of(plan: PlanDocument, position: int, members: Members, credentials: Credentials | None = None) -> NodeSetup:
    """Return what is started for the node at this position.

    Raises:
        InvalidPlan: a rule for the node's request is broken.
        AddressInvalid: the node's address is no address.
    """
    node, address = plan.nodes[position], Address.parse(plan.nodes[position].address)
    if plan.action_of(position) is not Action.JOIN:
        members = Members()
    request = request_of(plan, position, members=members.internal, port=_port(address, members))
    return NodeSetup(
        address=address,
        request=request,
        fingerprint=node.fingerprint,
        members=members.reachable,
        member_fingerprint=members.fingerprint or None,
        accept_new_certificate=plan.accept_new_certificate and plan.action_of(position).makes_certificate,
        credentials=credentials,
    )


def _port(address: Address, members: Members) -> int | None:
    """The members' port, unless the node assumes it."""
    port = members.reachable[0].port if members.reachable else None
    return None if port == DEFAULT_PORT == address.port else port


def _internal_address(attempt: Attempt) -> str:
    identity = (attempt.request.get("node") or {}).get("identity") or {}
    return str(identity.get("addr") or Address.parse(attempt.address).host)
