"""A place in a cluster that is there: what the newcomer asks for, and what a member gives."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from setup_wizard.reference_node.agreement import check_newcomer
from setup_wizard.reference_node.certificates import check_certificate, public_part
from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.errors import BootstrapFailed, PeerUnreachable
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.peers import Peer

ADMISSION_PATH = "/_cluster/admission"
EXCHANGE_PATH = "/_cluster/exchange"
Answer = TypeVar("Answer")
EXCHANGE_SECONDS = 2.0  # a member that needs longer counts as down


def basic(username: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass(frozen=True)
class Application:
    """What a node that wants to join says: who it is, whose place it takes, and whether it only asks."""

    newcomer: Member
    replaces: int | None = None
    only_check: bool = False

    def document(self) -> dict[str, object]:
        """The form in which it is sent."""
        return {"member": self.newcomer.kept(), "replaces": self.replaces, "only_check": self.only_check}

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` made; raises ValueError."""
        match document:
            case {"member": member, "replaces": (int() | None) as replaces, "only_check": bool(only_check)}:
                return cls(Member.parse(member), replaces, only_check)
            case _:
                raise ValueError("member, replaces and only_check are needed")


async def join_cluster(configuration: Configuration, newcomer: Member) -> tuple[Membership, bytes]:
    """Sign in to the first member that answers and be admitted.

    Returns the membership and the cluster's certificate (PEM, key first). Raises BootstrapFailed as `apply` does.
    """
    return await apply(configuration, Application(newcomer, configuration.uid), parse_admission)


async def ask_to_join(configuration: Configuration, newcomer: Member) -> None:
    """Ask the first member that answers whether it would admit the node; raises BootstrapFailed as `apply` does."""
    await apply(configuration, Application(newcomer, configuration.uid, only_check=True), lambda _document: None)


async def apply(configuration: Configuration, application: Application, parse: Callable[[object], Answer]) -> Answer:
    """Sign in to the first member that answers, and read what it gives to a node that it takes.

    Raises BootstrapFailed: `connect_error`
    when no member answers, `access_denied` when one does but refuses the sign-in, and what the member says when it
    refuses the node itself.
    """
    reasons = {}
    port = configuration.port or application.newcomer.port
    for node in configuration.nodes:
        peer = Peer(node, port)
        try:
            status, document = await peer.ask(
                "POST",
                ADMISSION_PATH,
                basic(configuration.username, configuration.password),
                application.document(),
            )
        except PeerUnreachable as unreachable:
            reasons[str(peer)] = str(unreachable)
            continue
        if status == 401:
            message = f"{peer} did not accept the credentials of {configuration.username}"
            raise BootstrapFailed("access_denied", message, node=str(peer))
        if status == 200:
            try:
                return parse(document)
            except ValueError as error:
                reasons[str(peer)] = f"{peer} gave an answer that cannot be read: {error}"
        elif status == 409 and (refused := parse_refusal(document)):
            raise refused
        elif status == 503:
            reasons[str(peer)] = f"{peer} is not a member of a cluster"
        else:
            reasons[str(peer)] = f"{peer} answered with status {status}"
    nodes = [{"node": node, "message": reason} for node, reason in reasons.items()]
    raise BootstrapFailed("connect_error", "; ".join(reasons.values()), nodes=nodes)


def admit(
    membership: Membership, members: Sequence[Member], application: Application, pem: bytes, now: float
) -> tuple[Membership, Mapping[str, object]]:
    """Give a newcomer its uid, or the one it had already got, as the member that it asked.

    `members` are all members as they are now. Returns the membership with the newcomer and the answer for it. Raises
    BootstrapFailed when the cluster cannot take it in.
    """
    newcomer, replaces = application.newcomer, application.replaces
    known = next((member for member in members if member.install == newcomer.install), None)
    if known is None:
        if replaces is not None:
            check_replaced(members, replaces)
        check_newcomer(membership.cluster, members, newcomer, replaces=replaces, now=now)
    if application.only_check:
        return membership, {}
    newcomer = replace(newcomer, uid=known.uid if known else replaces or membership.next_uid)
    grown = membership.updated([newcomer])
    return grown, {"membership": replace(grown, uid=newcomer.uid).document(), "certificate": pem.decode()}


def check_replaced(members: Sequence[Member], uid: int) -> None:
    """Raise BootstrapFailed unless this is the uid of a failed member."""
    failed = [member.uid for member in members if member.is_down]
    if uid in failed:
        return
    known = any(member.uid == uid for member in members)
    message = f"Node {uid} is running and cannot be replaced" if known else f"The cluster has no node {uid} to replace"
    raise BootstrapFailed("config_error", message, field="node.identity.uid", failed_nodes=failed)


def parse_refusal(document: object) -> BootstrapFailed | None:
    """Read why a member refuses a newcomer; None when it does not say."""
    match document:
        case {"error_code": str(code), "error_details": {"message": str(message), **details}}:
            return BootstrapFailed(code, message, **{str(name): value for name, value in details.items()})
        case _:
            return None


def parse_admission(document: object) -> tuple[Membership, bytes]:
    """Read the answer that `admit` made; raises ValueError."""
    match document:
        case {"certificate": str(certificate), "membership": membership}:
            check_certificate(certificate.encode())
            return Membership.parse(membership), certificate.encode()
        case _:
            raise ValueError("no certificate and membership in it")


async def exchange(membership: Membership, other: Member, pem: bytes) -> list[Member]:
    """Tell another member whom we know, and be told whom it knows; raises PeerUnreachable."""
    peer = Peer(other.addr, other.port, public_part(pem), EXCHANGE_SECONDS)
    known = [member.kept() for member in membership.members]
    status, document = await peer.ask(
        "POST", EXCHANGE_PATH, f"Bearer {membership.cluster.secret}", {"from": membership.uid, "members": known}
    )
    match status, document:
        case 200, {"members": list(members)}:
            return [Member.parse(member) for member in members]
        case _:
            raise PeerUnreachable(f"{peer} answered with status {status}")


def parse_exchange(document: object) -> tuple[int, list[Member]]:
    """Read what `exchange` sends: who asks, and whom it knows; raises ValueError."""
    match document:
        case {"from": int(uid), "members": list(members)}:
            return uid, [Member.parse(member) for member in members]
        case _:
            raise ValueError("from and members are needed")
