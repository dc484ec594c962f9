"""How a node joins a cluster: what it asks a member for, and what the member decides."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from setup_wizard.reference_node.agreement import check_newcomer, settle_rack
from setup_wizard.reference_node.certificates import check_certificate
from setup_wizard.reference_node.configuration import Configuration
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

    def document(self) -> dict[str, object]:
        """As it is sent."""
        return {
            "member": self.newcomer.kept(),
            "replaces": self.replaces,
            "override_rack_id": self.override_rack_id,
            "only_check": self.only_check,
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` returned; raises ValueError."""
        match document:
            case {
                "member": member,
                "replaces": (int() | None) as replaces,
                "override_rack_id": bool(override),
                "only_check": bool(only_check),
            }:
                return cls(Member.parse(member), replaces, override, only_check)
            case _:
                raise ValueError("member, replaces, override_rack_id and only_check are required")


@dataclass(frozen=True)
class Admission:
    """The answer to a node that may join: its membership and the cluster's certificate (PEM, key first)."""

    membership: Membership
    certificate: bytes

    def document(self) -> dict[str, object]:
        """As it is sent."""
        return {"membership": self.membership.document(), "certificate": self.certificate.decode()}

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` returned; raises ValueError."""
        match document:
            case {"certificate": str(certificate), "membership": membership}:
                check_certificate(certificate.encode())
                return cls(Membership.parse(membership), certificate.encode())
            case _:
                raise ValueError("membership and certificate are required")


async def ask_admission(configuration: Configuration, newcomer: Member) -> Admission:
    """Sign in to the first member that answers, and be admitted.

    Raises BootstrapFailed: `connect_error` when no member answers, `access_denied` when one refuses the sign-in, and
    what the member says when it refuses the node itself.
    """
    application = Application(newcomer, configuration.uid, configuration.override_rack_id)
    return await _ask_members(configuration, application, Admission.parse)


async def check_admission(configuration: Configuration, newcomer: Member) -> None:
    """Ask whether the node would be admitted; raises BootstrapFailed as `ask_admission` does."""
    application = Application(newcomer, configuration.uid, configuration.override_rack_id, only_check=True)
    await _ask_members(configuration, application, lambda _document: None)


async def _ask_members(
    configuration: Configuration, application: Application, read: Callable[[object], Result]
) -> Result:
    reasons = {}
    port = configuration.port or application.newcomer.port
    credentials = f"{configuration.username}:{configuration.password}"
    authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    for node in configuration.nodes:
        peer = Peer(node, port, seconds=ADMISSION_SECONDS)
        try:
            status, document = await peer.ask("POST", ADMISSION_PATH, authorization, application.document())
        except PeerUnreachable as unreachable:
            reasons[str(peer)] = str(unreachable)
            continue
        match status, document:
            case 200, _:
                try:
                    return read(document)
                except ValueError as error:
                    reasons[str(peer)] = f"{peer} gave an answer that cannot be read: {error}"
            case 401, _:
                message = f"{peer} did not accept the credentials of {configuration.username}"
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
    """Give a newcomer its uid, or again the one that it already has; it is a member in what this returns.

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


def check_replaced(members: Sequence[Member], uid: int) -> None:
    """Raise BootstrapFailed unless this is the uid of a failed member."""
    failed = [member.uid for member in members if member.is_down]
    if uid in failed:
        return
    known = any(member.uid == uid for member in members)
    message = f"Node {uid} is running and cannot be replaced" if known else f"The cluster has no node {uid} to replace"
    raise BootstrapFailed("config_error", message, field="node.identity.uid", failed_nodes=failed)
