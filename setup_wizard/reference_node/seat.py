"""One node's seat in its cluster: what it asks of the other members, and what it answers them.

Who leads is agreed without a vote. A copy that has lost its primary asks the others; while nobody knows of a newer
one and the primary itself does not answer either, the lowest uid that is alive waits for GRACE_SECONDS and then goes
on as the primary of the next epoch. Every member follows the highest epoch that it hears of, so a primary that comes
back copies from whoever has taken over. `store.valkey` says what this cannot promise.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from setup_wizard.reference_node.errors import (
    BootstrapFailed,
    PeerUnreachable,
    Replaced,
    StoreFailed,
    StoreUnavailable,
)
from setup_wizard.reference_node.exchange import Tidings, exchange
from setup_wizard.reference_node.joining import Admission, Application, check_application, seat_newcomer
from setup_wizard.reference_node.lockout import Refusals
from setup_wizard.reference_node.membership import Member, Membership
from setup_wizard.reference_node.store import Change, Store
from setup_wizard.reference_node.tasks import end

TICK_SECONDS = 0.5
GRACE_SECONDS = 2.0  # a primary that is only being restarted keeps its role
PATIENCE_SECONDS = 8.0
RETRY_SECONDS = 0.05
Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class Holder(Protocol):
    """The node that sits there, and keeps what is known of the cluster on its disk."""

    @property
    def membership(self) -> Membership | None:
        """Its cluster; None while it is in none."""

    @property
    def ccs_directory(self) -> Path:
        """Where its store keeps its files."""

    @property
    def refusals(self) -> Refusals:
        """The refused sign-ins that it knows of."""

    def keep(self, membership: Membership) -> None:
        """Write down what is known now."""

    def keep_refusals(self, refusals: Refusals) -> None:
        """Write down which sign-ins were refused."""

    def own_entry(self) -> Member:
        """Itself as it is now."""

    def pem(self) -> bytes:
        """The cluster's certificate, with its key."""


class Seat:
    """What a member does for its cluster; nothing before `take` or `resume`."""

    def __init__(self, holder: Holder, store: Store) -> None:
        self.store = store
        self._holder = holder
        self._is_open = False
        self._is_settled = False
        self._is_replaced = False
        self._unaware: set[int] = set()  # members that have not heard yet that this one leads
        self._silent_since: float | None = None
        self._trouble = "The store of this node is being started"
        self._wake = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def take(self) -> None:
        """Be a member from now on, with a store that is open already."""
        self._is_open = self._is_settled = True
        self._watch_if_needed()

    def resume(self) -> None:
        """Be a member again after a restart: the store is opened, and the others asked, while requests wait."""
        self._is_open = self._is_settled = not self.store.is_watched
        if self._is_open:
            opening = self.store.resume(self.membership, self._holder.ccs_directory)
            self._watching = asyncio.get_running_loop().create_task(opening)
        self._watch_if_needed()

    async def close(self) -> None:
        """Leave the seat; the store ends with it."""
        if self._watching is not None:
            await end(self._watching)
        await self.store.close()

    async def accepts(self, username: str, password: str) -> bool:
        """Say whether these are the administrator's credentials; raises StoreUnavailable."""
        return await self._patiently(lambda: self.store.accepts(self.membership.cluster, username, password))

    async def tell_others(self) -> None:
        """Let the other members know at once what this one does; raises StoreUnavailable."""
        await self._ask_others()

    async def read(self) -> Membership:
        """Read the record and keep what it says; raises StoreUnavailable."""
        found = await self._patiently(lambda: self.store.read(self.membership))
        self._keep(found)
        return found

    async def change(self, change: Change) -> Membership:
        """Change the record; raises StoreUnavailable when nobody leads and nobody takes over."""
        changed = await self._patiently(lambda: self._change(change))
        self._keep(changed)
        return changed

    async def announce(self) -> None:
        """Let the record say what this node is now, where that is not what it says already."""
        own = self._holder.own_entry()
        known = self.membership.own
        if not self.store.is_watched or _essence(own) != _essence(known):
            await self.change(lambda membership: membership.updated([replace(own, rack_id=membership.own.rack_id)]))

    async def ask_members(self) -> list[Member]:
        """All members as they are now: those that do not answer are `down`."""
        membership = await self.read()
        answers = await self._ask_others()
        now = {uid: answer.sender for uid, answer in answers.items() if isinstance(answer, Tidings)}
        now[membership.uid] = self._holder.own_entry()
        known = self.membership.members
        return [now.get(member.uid) or replace(member, status="down") for member in known]

    async def check(self) -> dict[str, object]:
        """The body of `GET /v1/cluster/check`: whether each member answers and has the record that the primary has."""
        membership = await self.read()
        answers = await self._ask_others()
        nodes = []
        for member in membership.members:
            if member.uid == membership.uid:
                trouble = "" if await self.store.is_in_step() else "its store is not in step with the primary's"
            elif isinstance(answer := answers.get(member.uid), Tidings):
                trouble = "" if answer.is_in_step else "its store is not in step with the primary's"
            else:
                trouble = str(answer or "it has not been asked yet")
            entry: dict[str, object] = {"node_uid": member.uid, "result": not trouble}
            nodes.append({**entry, "error": trouble} if trouble else entry)
        return {"cluster_test_result": all(node["result"] for node in nodes), "nodes": nodes}

    async def admit(self, application: Application, now: float) -> Mapping[str, object]:
        """Keep a place for a newcomer; returns what it is to know. Raises BootstrapFailed and StoreUnavailable."""
        install = application.newcomer.install
        members = await self.ask_members()
        failed = {member.uid: member.install for member in members if member.is_down}
        # a newcomer that was killed after it had come asks again: it is no reason to refuse itself
        if all(member.install != install for member in members):
            check_application(self.membership.cluster, members, application, now)
        if application.only_check:
            return {}
        seated: list[Member] = []

        def reserve(membership: Membership) -> Membership:
            reserved, newcomer = seat_newcomer(membership, application)
            seated[:] = [newcomer]
            return reserved

        membership = await self.change(reserve)
        newcomer = seated[0]
        given = replace(membership.updated([newcomer]), uid=newcomer.uid)
        return Admission(given, self._holder.pem(), failed.get(newcomer.uid)).document()

    async def hear(self, tidings: Tidings) -> Tidings:
        """Take in what another member says and answer it; raises Replaced when its place has been taken."""
        membership = await self.read()
        known = next((member for member in membership.members if member.uid == tidings.uid), None)
        if self.store.is_watched and known is not None and known.install != tidings.sender.install:
            raise Replaced(f"Node {tidings.uid} is another node now")
        self._learn(tidings)
        return await self._tidings()

    @property
    def membership(self) -> Membership:
        """The cluster as this member knows it; raises StoreUnavailable when the node is in none."""
        if self._holder.membership is None:
            raise StoreUnavailable("This node is not a member of a cluster")
        return self._holder.membership

    def _keep(self, membership: Membership) -> None:
        # what was learned while the store was being asked holds
        known = self.membership
        if membership.is_older_than(known.epoch, known.primary):
            membership = membership.led_by(known.primary, known.epoch)
        if membership != known:
            self._holder.keep(membership)

    def _learn(self, tidings: Tidings) -> None:
        merged = self._holder.refusals.merged(tidings.refusals)
        if merged != self._holder.refusals:
            self._holder.keep_refusals(merged)
        self._keep(self.store.hear(self.membership, tidings.uid, tidings.members))
        membership = self.membership
        if membership.is_older_than(tidings.epoch, tidings.primary):
            if tidings.primary not in {member.uid for member in membership.members}:
                membership = membership.updated(member for member in tidings.members if member.uid == tidings.primary)
            self._holder.keep(membership.led_by(tidings.primary, tidings.epoch))
            self._unaware.clear()
            self._wake.set()

    async def _tidings(self) -> Tidings:
        try:
            in_step = self._is_open and await self.store.is_in_step()
        except StoreUnavailable:
            in_step = False
        members = self.membership.updated([self._holder.own_entry()]).members
        return Tidings.of(self.membership, members, self._holder.refusals, is_in_step=in_step)

    async def _ask_others(self) -> dict[int, Tidings | PeerUnreachable]:
        membership, tidings, pem = self.membership, await self._tidings(), self._holder.pem()

        async def ask(other: Member) -> Tidings | PeerUnreachable:
            try:
                heard = await exchange(membership, other, tidings, pem)
            except PeerUnreachable as unreachable:
                return unreachable
            self._learn(heard)
            return heard

        try:
            answers = await asyncio.gather(*(ask(other) for other in membership.others))
        except Replaced as replaced:
            self._is_replaced = True
            self._trouble = str(replaced)
            raise StoreUnavailable(str(replaced)) from None
        return {other.uid: answer for other, answer in zip(membership.others, answers, strict=True)}

    async def _change(self, change: Change) -> Membership:
        if not self._is_settled:
            raise StoreUnavailable("The members of the cluster are still being asked who leads")
        return await self.store.change(self.membership, change)

    async def _patiently(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        """Try again for a while: a store that is starting or changing hands is back in a moment."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while True:
            try:
                self._check_open()
                return await ask()
            except StoreUnavailable:
                if self._is_replaced or loop.time() > deadline:
                    raise
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)

    def _check_open(self) -> None:
        if not self._is_open or self._is_replaced:
            raise StoreUnavailable(self._trouble)

    def _watch_if_needed(self) -> None:
        if self.store.is_watched:
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while not self._is_replaced:
            try:
                await self._tend()
            except (BootstrapFailed, StoreFailed, StoreUnavailable, OSError) as error:
                if str(error) != self._trouble:
                    logger.warning("%s", error)
                self._trouble = str(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()
            self._wake.clear()

    async def _tend(self) -> None:
        """See to it that the store runs and has the role that it should."""
        if not self._is_open:
            await self.store.resume(self.membership, self._holder.ccs_directory)
            self._is_open = True
        elif await self.store.revive(self.membership):
            logger.warning("The server of the store had ended and was started again")
        if not self._is_settled:
            await self._settle()
            self._is_settled = True
            await self.announce()
        elif self.membership.leads:
            await self._lead()
        elif not await self.store.is_in_step():
            await self._settle()
        else:
            self._silent_since = None
            await self.store.take_role(self.membership)

    async def _lead(self) -> None:
        await self.store.take_role(self.membership)
        if self._unaware:
            answers = await self._ask_others()
            self._unaware -= {uid for uid, answer in answers.items() if isinstance(answer, Tidings)}

    async def _settle(self) -> None:
        """Find out who leads, and lead if it is to be this node."""
        answers = await self._ask_others()
        membership = self.membership  # what has been heard is in it
        if membership.leads:
            self._silent_since = None
            self._unaware = {uid for uid, answer in answers.items() if not isinstance(answer, Tidings)}
            await self.store.take_role(membership)
            return
        leader = answers.get(membership.primary)
        if isinstance(leader, Tidings):
            self._silent_since = None
            self._holder.keep(membership.updated([leader.sender]))
            await self.store.take_role(self.membership)
            return
        now = asyncio.get_running_loop().time()
        self._silent_since = self._silent_since or now
        alive = [uid for uid, answer in answers.items() if isinstance(answer, Tidings)]
        if now - self._silent_since >= GRACE_SECONDS and membership.uid < min(alive, default=membership.uid + 1):
            await self._promote(membership.led_by(membership.uid, membership.epoch + 1))

    async def _promote(self, membership: Membership) -> None:
        logger.warning("Node %d leads the store now: the primary does not answer", membership.uid)
        self._holder.keep(membership)
        self._silent_since = None
        self._unaware = {other.uid for other in membership.others}
        await self.store.take_role(membership)
        await self.store.change(membership, lambda found: found.led_by(membership.primary, membership.epoch))
        await self._lead()


def _essence(member: Member) -> Member:
    """A member without what changes from one moment to the next."""
    facts = {name: fact for name, fact in member.facts.items() if name != "uptime"}
    return replace(member, facts=facts)
