"""A place in a cluster that is there: what the newcomer asks for, and what a member gives."""

import base64
from collections.abc import Mapping
from dataclasses import replace

from setup_wizard.reference_node.certificates import check_certificate, public_part
from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.errors import BootstrapFailed, PeerUnreachable
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.peers import Peer

ADMISSION_PATH = "/_cluster/admission"
EXCHANGE_PATH = "/_cluster/exchange"
EXCHANGE_SECONDS = 2.0  # a member that needs longer counts as down


def basic(username: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


async def join_cluster(configuration: Configuration, newcomer: Member) -> tuple[Membership, bytes]:
    """Sign in to the first member that answers and be admitted.

    Returns the membership and the cluster's certificate (PEM, key first). Raises BootstrapFailed: `connect_error`
    when no member answers, `access_denied` when one does but refuses the sign-in.
    """
    reasons = {}
    port = configuration.port or newcomer.port
    for node in configuration.nodes:
        peer = Peer(node, port)
        try:
            status, document = await peer.ask(
                "POST", ADMISSION_PATH, basic(configuration.username, configuration.password), newcomer.kept()
            )
        except PeerUnreachable as unreachable:
            reasons[str(peer)] = str(unreachable)
            continue
        if status == 401:
            message = f"{peer} did not accept the credentials of {configuration.username}"
            raise BootstrapFailed("access_denied", message, node=str(peer))
        if status == 200:
            try:
                return parse_admission(document)
            except ValueError as error:
                reasons[str(peer)] = f"{peer} gave an answer that cannot be read: {error}"
        elif status == 503:
            reasons[str(peer)] = f"{peer} is not a member of a cluster"
        else:
            reasons[str(peer)] = f"{peer} answered with status {status}"
    nodes = [{"node": node, "message": reason} for node, reason in reasons.items()]
    raise BootstrapFailed("connect_error", "; ".join(reasons.values()), nodes=nodes)


def admit(membership: Membership, document: object, pem: bytes) -> tuple[Membership, Mapping[str, object]]:
    """Give a newcomer its uid, or the one it had already got, as the member that it asked.

    Returns the membership with the newcomer and the answer for it. Raises ValueError when it does not say who it is.
    """
    newcomer = Member.parse(document)
    known = next((member for member in membership.members if member.install == newcomer.install), None)
    newcomer = replace(newcomer, uid=known.uid if known else membership.next_uid)
    grown = membership.updated([newcomer])
    return grown, {"membership": replace(grown, uid=newcomer.uid).document(), "certificate": pem.decode()}


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
