"""What members tell each other: who they are, which members they know, and which sign-ins were refused."""

from dataclasses import dataclass
from typing import Self

from setup_wizard.reference_node.certificates import public_part
from setup_wizard.reference_node.errors import PeerUnreachable, Replaced
from setup_wizard.reference_node.lockout import Refusals
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.peers import Peer

PATH = "/_cluster/exchange"
SECONDS = 2.0  # a member that needs longer counts as down
REPLACED = 410


@dataclass(frozen=True)
class PeerState:
    """One member's view of the cluster; `uid` is its own."""

    uid: int
    members: tuple[Member, ...]
    refusals: Refusals

    @property
    def sender(self) -> Member:
        """The member whose view it is."""
        return next(member for member in self.members if member.uid == self.uid)

    def document(self) -> dict[str, object]:
        """As it is sent."""
        return {
            "from": self.uid,
            "members": [member.kept() for member in self.members],
            "refusals": self.refusals.document(),
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` returned; raises ValueError."""
        match document:
            case {"from": int(uid), "members": list(entries), "refusals": dict(refusals)}:
                state = cls(uid, tuple(map(Member.parse, entries)), Refusals.parse(refusals))
            case _:
                raise ValueError("from, members and refusals are required")
        if uid not in {member.uid for member in state.members}:
            raise ValueError("the sender is not among the members")
        return state


def member_peer(membership: Membership, other: Member, pem: bytes, seconds: float) -> tuple[Peer, str]:
    """How to reach another member: the peer, and the value of the Authorization header."""
    return Peer(other.addr, other.port, public_part(pem), seconds), f"Bearer {membership.cluster.secret}"


async def exchange(membership: Membership, other: Member, state: PeerState, pem: bytes) -> PeerState:
    """Send another member our state and return its own.

    Raises PeerUnreachable, and Replaced when another node has our uid.
    """
    peer, authorization = member_peer(membership, other, pem, SECONDS)
    status, document = await peer.ask("POST", PATH, authorization, state.document())
    if status == REPLACED:
        raise Replaced(f"{peer} knows another node as node {membership.uid}")
    if status != 200:
        raise PeerUnreachable(f"{peer} answered with status {status}")
    try:
        answer = PeerState.parse(document)
    except ValueError:
        raise PeerUnreachable(f"{peer} answers, but not as a member does") from None
    if answer.uid != other.uid:
        raise PeerUnreachable(f"{peer} is node {answer.uid} now")
    return answer
