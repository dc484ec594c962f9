"""How a node joins a cluster: what it asks a member for, and what the member decides."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from setup_wizard.reference_node.bootstrap_plan import BootstrapPlan
from setup_wizard.reference_node.certificates import check_certificate
from setup_wizard.reference_node.checks import check_newcomer, check_replaced, settle_rack
from setup_wizard.reference_node.documents import read_document, write_document
from setup_wizard.reference_node.errors import BootstrapFailed, PeerUnreachable
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.peers import Peer

ADMISSION_PATH = "/_cluster/admission"
ADMISSION_SECONDS = 20.0
Result = TypeVar("Result")


@dataclass(frozen=True)
class Application:
    """The request of a node to join. `replaces` is the uid of a failed node, `only_check` changes nothing."""

    newcomer: Member
    replaces: int | None = None
    override_rack_id: bool = False
    only_check: bool = False


@dataclass(frozen=True)
class Admission:
    """The answer to a node that may join: its membership and the cluster's certificate (PEM, key first)."""

    membership: Membership
    certificate: bytes

    def __post_init__(self) -> None:
        check_certificate(self.certificate)


async def ask_admission(plan: BootstrapPlan, newcomer: Member) -> Admission:
    """Sign in to the first member that answers, and be admitted.

    Raises BootstrapFailed: `connect_error` when no member answers, `access_denied` when one refuses the sign-in, and
    what the member says when it refuses the node itself.
    """
    application = Application(newcomer, plan.uid, plan.override_rack_id)
    return await _ask_members(plan, application, lambda document: read_document(Admission, document))


async def check_admission(plan: BootstrapPlan, newcomer: Member) -> None:
    """Ask whether the node would be admitted; raises BootstrapFailed as `ask_admission` does."""
    application = Application(newcomer, plan.uid, plan.override_rack_id, only_check=True)
    await _ask_members(plan, application, lambda _document: None)


async def _ask_members(plan: BootstrapPlan, application: Application, read: Callable[[object], Result]) -> Result:
    reasons = {}
    port = plan.port or application.newcomer.port
    authorization, client, who = "", f"{plan.client_cert}\n{plan.client_key}", "the client certificate"
    if not plan.client_cert:
        credentials = f"{plan.username}:{plan.password}"
        authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
        client, who = "", f"the credentials of {plan.username}"
    for node in plan.nodes:
        peer = Peer(node, port, plan.trusted_ca or None, ADMISSION_SECONDS, client)
        try:
            status, document = await peer.post(ADMISSION_PATH, authorization, write_document(application))
        except PeerUnreachable as unreachable:
            reasons[str(peer)] = str(unreachable)
            continue
        match status, document:
            case 200, _:
                try:
                    return read(document)
                except ValueError as error:
                    reasons[str(peer)] = f"{peer} gave an answer that cannot be read: {error}"
            case 401 | 403, _:
                message = f"{peer} did not accept {who}{' as an administrator' if status == 403 else ''}"
                raise BootstrapFailed("access_denied", message, node=str(peer))
            case 409, {"error_code": str(code), "error_details": {"message": str(message), **details}}:
                raise BootstrapFailed(code, message, **{str(name): value for name, value in details.items()})
            case 503, {"error_code": "unavailable", "description": str(description)}:
                reasons[str(peer)] = description
            case 503, _:
                reasons[str(peer)] = f"{peer} is not a member of a cluster"
            case _:
                reasons[str(peer)] = f"{peer} answered with status {status}"
    nodes = [{"node": node, "message": reason} for node, reason in reasons.items()]
    raise BootstrapFailed("connect_error", "; ".join(reasons.values()), nodes=nodes)


def check_application(cluster: Cluster, members: Sequence[Member], application: Application, now: float) -> None:
    """Raise BootstrapFailed when the cluster cannot take this node; `members` are all of them as they are now."""
    if application.replaces is not None:
        check_replaced(members, application.replaces)
    check_newcomer(cluster, members, application.newcomer, replaces=application.replaces, now=now)
    for member in members:
        if member.uid == application.replaces:
            settle_rack(member, application.newcomer.rack_id, override=application.override_rack_id)


def add_newcomer(membership: Membership, application: Application, now: float) -> Membership:
    """Give a newcomer its uid, or again the one it already has; it is a member in what this returns.

    A replacement takes over the rack of the node that it replaces, unless it may bring its own.
    """
    newcomer = application.newcomer
    known = {member.install: member.uid for member in membership.members} | dict(membership.reserved)
    uid = application.replaces or known.get(newcomer.install) or membership.next_uid
    before = next((member for member in membership.members if member.uid == uid), None)
    rack_id, joined_at = newcomer.rack_id, now
    if before is not None:
        is_same = before.install == newcomer.install
        rack_id = settle_rack(before, rack_id, override=application.override_rack_id or is_same)
        joined_at = max(now, before.joined_at + 1)
    return membership.updated(replace(newcomer, uid=uid, rack_id=rack_id, joined_at=joined_at))
