"""What members tell each other: that they are there, whom they know, and who leads."""

from collections.abc import Iterable
from dataclasses import dataclass, field
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
class Tidings:
    """One member's word to another; `is_in_step` says that its store can be relied on.

    `refusals` are the refused sign-ins that it knows of.
    """

    uid: int
    members: tuple[Member, ...]
    epoch: int
    primary: int
    is_in_step: bool = True
    refusals: Refusals = field(default_factory=Refusals)

    @classmethod
    def of(cls, membership: Membership, members: Iterable[Member], refusals: Refusals, *, is_in_step: bool) -> Self:
        """What this member has to say."""
        return cls(membership.uid, tuple(members), membership.epoch, membership.primary, is_in_step, refusals)

    @property
    def sender(self) -> Member:
        """Who says it."""
        return next(member for member in self.members if member.uid == self.uid)

    def document(self) -> dict[str, object]:
        """The form in which it is sent."""
        return {
            "from": self.uid,
            "members": [member.kept() for member in self.members],
            "epoch": self.epoch,
            "primary": self.primary,
            "is_in_step": self.is_in_step,
            "refusals": self.refusals.document(),
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` made; raises ValueError."""
        match document:
            case {
                "from": int(uid),
                "members": list(entries),
                "epoch": int(epoch),
                "primary": int(primary),
                "is_in_step": bool(is_in_step),
                "refusals": dict(refusals),
            }:
                members = tuple(Member.parse(entry) for entry in entries)
            case _:
                raise ValueError("from, members, epoch, primary, is_in_step and refusals are needed")
        if not {uid, primary} <= {member.uid for member in members}:
            raise ValueError("who says it, or the primary, is not among the members")
        return cls(uid, members, epoch, primary, is_in_step, Refusals.parse(refusals))


async def exchange(membership: Membership, other: Member, tidings: Tidings, pem: bytes) -> Tidings:
    """Tell another member ours and be told its own; raises PeerUnreachable, and Replaced when it has given us up."""
    peer = Peer(other.addr, other.port, public_part(pem), SECONDS)
    status, document = await peer.ask("POST", PATH, f"Bearer {membership.cluster.secret}", tidings.document())
    if status == REPLACED:
        raise Replaced(f"{peer} knows another node as node {membership.uid}")
    if status != 200:
        raise PeerUnreachable(f"{peer} answered with status {status}")
    try:
        heard = Tidings.parse(document)
    except ValueError:
        raise PeerUnreachable(f"{peer} answers, but not as a member does") from None
    if heard.uid != other.uid:
        raise PeerUnreachable(f"{peer} is node {heard.uid} now")
    return heard
