"""What members of a cluster tell each other, and how they admit new ones."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from setup_wizard.reference_node.certificates import public_part
from setup_wizard.reference_node.documents import read_document, write_document
from setup_wizard.reference_node.errors import ClusterUnavailable, Malformed, PeerUnreachable, Replaced
from setup_wizard.reference_node.joining import (
    ADMISSION_PATH,
    ADMISSION_SECONDS,
    Admission,
    Application,
    add_newcomer,
    check_application,
)
from setup_wizard.reference_node.lockout import Refusals
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.messages import Answer, document_answer
from setup_wizard.reference_node.peers import Peer

if TYPE_CHECKING:
    from setup_wizard.reference_node.node import Node


EXCHANGE_PATH = "/_cluster/exchange"
EXCHANGE_SECONDS = 2.0  # a member that needs longer counts as down
REPLACED = 410


@dataclass(frozen=True)
class PeerState:
    """One member's view of the cluster; `uid` is its own. Rack awareness is never turned off again."""

    uid: int
    members: tuple[Member, ...]
    refusals: Refusals
    rack_aware: bool

    @property
    def sender(self) -> Member:
        """The member whose view it is."""
        return next(member for member in self.members if member.uid == self.uid)

    def __post_init__(self) -> None:
        if self.uid not in {member.uid for member in self.members}:
            raise ValueError("the sender is not among the members")


class ClusterMember:
    """One node as a member of its cluster; every method raises ClusterUnavailable while it is not a member."""

    def __init__(self, node: "Node") -> None:
        self._node = node
        self._replaced_message = ""

    @property
    def membership(self) -> Membership:
        """The cluster as this member knows it."""
        if self._replaced_message or self._node.membership is None:
            raise ClusterUnavailable(self._replaced_message or "This node is not a member of a cluster")
        return self._node.membership

    async def ask_members(self) -> list[Member]:
        """All members as they are now: those that do not answer are `down`."""
        answers = await self.tell_members()
        now = {uid: answer.sender for uid, answer in answers.items() if isinstance(answer, PeerState)}
        now[self.membership.uid] = self._node.own_entry()
        return [now.get(member.uid) or replace(member, status="down") for member in self.membership.members]

    async def check(self) -> Mapping[str, object]:
        """The body of `GET /v1/cluster/check`: whether each member answers."""
        answers = await self.tell_members()
        nodes: list[Mapping[str, object]] = []
        for member in self.membership.members:
            answer = answers.get(member.uid)
            error = {"error": str(answer)} if isinstance(answer, PeerUnreachable) else {}
            nodes.append({"node_uid": str(member.uid), "result": not error, **error})
        return {"cluster_test_result": all(node["result"] for node in nodes), "nodes": nodes}

    async def turn_rack_aware(self) -> None:
        """Turn rack awareness on; raises Malformed while a member has no rack."""
        if missing := [member.uid for member in self.membership.members if not member.rack_id]:
            raise Malformed(f"Rack awareness needs a rack ID on every node. Without one: {missing}.")
        self._node.store_membership(self.membership.rack_aware())
        await self.tell_members()

    async def admit(self, application: Application, now: float) -> Answer:
        """Answer a node that wants to join; raises BootstrapFailed when the cluster cannot take it.

        Only the member with the lowest uid gives out uids, so that no two nodes get the same; the others pass the
        application on to it.
        """
        members = await self.ask_members()
        membership = self.membership
        first = next(member for member in members if not member.is_down)
        if first.uid != membership.uid:
            peer, authorization = peer_and_authorization(membership, first, self._node.pem(), ADMISSION_SECONDS)
            try:
                status, document = await peer.post(ADMISSION_PATH, authorization, write_document(application))
            except PeerUnreachable as unreachable:
                raise ClusterUnavailable(str(unreachable)) from None
            return document_answer(document, status)
        install_id = application.newcomer.install
        # a newcomer that was killed after it had joined asks again: its own entry must not refuse it
        if all(member.install != install_id for member in members):
            check_application(membership.cluster, members, application, now)
        if application.only_check:
            return document_answer({})
        joined = add_newcomer(membership, application, now)
        uid = next(member.uid for member in joined.members if member.install == install_id)
        self._node.store_membership(replace(membership, reserved={**membership.reserved, install_id: uid}))
        return document_answer(write_document(Admission(replace(joined, uid=uid), self._node.pem())))

    def receive(self, state: PeerState) -> PeerState:
        """Learn what another member reports and return this member's view; raises Replaced when that was replaced."""
        sender = state.sender
        known = next((member for member in self.membership.members if member.uid == sender.uid), sender)
        if known.install != sender.install and known.joined_at >= sender.joined_at:
            raise Replaced(f"Node {sender.uid} is another node now")
        self._learn(state)
        return self._state()

    async def tell_members(self) -> Mapping[int, PeerState | PeerUnreachable]:
        """Report to all other members and return what each answers, by uid."""
        answers: dict[int, PeerState | PeerUnreachable] = {}
        # an answer may name members that this one did not know
        while unasked := [other for other in self.membership.others if other.uid not in answers]:
            found = await asyncio.gather(*map(self._tell, unasked))
            answers |= {other.uid: answer for other, answer in zip(unasked, found, strict=True)}
        return answers

    async def _tell(self, other: Member) -> PeerState | PeerUnreachable:
        try:
            answer = await exchange(self.membership, other, self._state(), self._node.pem())
            self._learn(answer)
        except PeerUnreachable as unreachable:
            return unreachable
        except Replaced as replaced:
            self._replaced_message = str(replaced)
            raise ClusterUnavailable(self._replaced_message) from None
        return answer

    def _state(self) -> PeerState:
        membership = self.membership
        members = membership.updated(self._node.own_entry()).members
        return PeerState(membership.uid, members, self._node.refusals, membership.cluster.rack_aware)

    def _learn(self, state: PeerState) -> None:
        self._node.store_refusals(self._node.refusals.merged(state.refusals))
        membership = self.membership
        learned = membership.learned(state.sender, state.members)
        if state.rack_aware:
            learned = learned.rack_aware()
        if learned.own.install != membership.own.install:
            raise Replaced(f"Another node is node {membership.uid} now")
        self._node.store_membership(learned)


def peer_and_authorization(membership: Membership, other: Member, pem: bytes, seconds: float) -> tuple[Peer, str]:
    """How to reach another member: the peer, and the value of the Authorization header."""
    return Peer(other.addr, other.port, public_part(pem), seconds), f"Bearer {membership.cluster.secret}"


async def exchange(membership: Membership, other: Member, state: PeerState, pem: bytes) -> PeerState:
    """Send another member our state and return its own.

    Raises PeerUnreachable, and Replaced when another node has our uid.
    """
    peer, authorization = peer_and_authorization(membership, other, pem, EXCHANGE_SECONDS)
    status, document = await peer.post(EXCHANGE_PATH, authorization, write_document(state))
    if status == REPLACED:
        raise Replaced(f"{peer} knows another node as node {membership.uid}")
    if status != 200:
        raise PeerUnreachable(f"{peer} answered with status {status}")
    try:
        answer = read_document(PeerState, document)
    except ValueError:
        raise PeerUnreachable(f"{peer} answers, but not as a member does") from None
    if answer.uid != other.uid:
        raise PeerUnreachable(f"{peer} is node {answer.uid} now")
    return answer
