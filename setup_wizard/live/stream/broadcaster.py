"""One broadcaster per process: it alone looks, and tells everybody who watches.

It is woken by the bell, looks at all watched attempts once a second anyway, and asks now and then whether those who
watch are still signed in. It works while somebody watches, with one thread and one database connection.

Reference: docs/failure-modes.md, D10, row 53 and W10.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from random import uniform
from typing import Final, TypeVar
from uuid import UUID

from django.db import Error, connections

from setup_wizard.attempts import pubsub, timing
from setup_wizard.live.stream import rows
from setup_wizard.live.stream.viewers import CloseReason, Mark, Seat, Viewer, Viewers

Q = TypeVar("Q")
T = TypeVar("T")
CANCEL_AGAIN_SECONDS: Final = 1.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and for how long, in seconds."""

    look: float = 1.0  # all watched attempts are looked at
    apart: float = 0.02  # between two looks, however often the bell rings
    session: float = 20.0  # until a session is asked about again; with a crowd of others before it, under 30
    ping: float = 15.0
    life: float = 600.0  # then the browser connects anew, and every process gets its share again
    stuck: float = 20.0  # a reader that takes nothing for so long is gone
    unread: float = 30.0  # so is one that never began
    beat: float = timing.HEARTBEAT_EVERY.total_seconds()
    question: float = timing.BROADCASTER_QUESTION  # a thread that the database keeps for longer is given up
    stale: float = timing.BROADCASTER_STALE.total_seconds()  # without a round for so long it is stuck


class Broadcaster:
    """Tells viewers of news; `seat` lets one in, `leave` is called at the end of each."""

    def __init__(
        self,
        *,
        look: Callable[[Collection[UUID]], Mapping[UUID, Mark]] = rows.marks,
        ended_sessions: Callable[[Mapping[str, str]], set[str]] = rows.ended_sessions,
        listen: Callable[[], AsyncIterator[UUID]] = pubsub.listen,
        beat: Callable[[int], None] = lambda _: None,
        pace: Pace = Pace(),
    ) -> None:
        self.pace = pace
        self.is_closing = False
        self._look, self._ended_sessions, self._listen, self._beat = look, ended_sessions, listen, beat
        self._loop = asyncio.get_running_loop()
        self._viewers = Viewers()
        self._rung: set[UUID] = set()
        self._woken = asyncio.Event()
        self._asked_at: dict[str, float] = {}
        self._work: asyncio.Task[None] | None = None
        self._came_round_at = self._loop.time()

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def is_stuck(self) -> bool:
        """Whether somebody watches, and has not been looked after for too long; may be asked from any thread."""
        return bool(len(self._viewers)) and self._loop.time() - self._came_round_at > self.pace.stale

    def seat(self, seat: Seat, mark: Mark) -> Viewer:
        """Let one more watch.

        Raises:
            TooManyStreams: a limit is reached.
        """
        self._viewers.check_room(seat)
        life = self.pace.life * uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
        viewer = Viewer(seat, mark, self._loop.time(), life)
        self._viewers.add(viewer)
        self._asked_at.setdefault(seat.session_key, self._loop.time())
        if self._work is None:
            self._came_round_at = self._loop.time()
            self._begin()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget this viewer."""
        self._viewers.remove(viewer)
        if not self._viewers.signed_in_as(viewer.seat.session_key):
            self._asked_at.pop(viewer.seat.session_key, None)

    def ring(self, attempt_id: UUID) -> None:
        """Look at this attempt now, if anybody watches it."""
        if self._viewers.watching(attempt_id):
            self._rung.add(attempt_id)
            self._woken.set()

    def close(self) -> None:
        """Say goodbye to everybody: this process stops, and another one, or the next, goes on."""
        self.is_closing = True
        for viewer in self._viewers:
            viewer.dismiss(CloseReason.BYE)

    def _begin(self) -> None:
        # nothing of the request that happens to be the first, such as its thread, goes along
        self._work = self._loop.create_task(self._run(), context=Context())

    async def _run(self) -> None:
        """Work until nobody watches. Should a part fail, everybody connects anew, which begins the work anew."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="stream")
        tasks = [
            self._loop.create_task(part)
            for part in (self._look_on(thread), self._ask_on(thread), self._beat_on(thread), self._hear())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)
            if not len(self._viewers):
                with suppress(TimeoutError):
                    await self._ask(thread, self._beat, 0)
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)  # it may be stuck, and nobody may wait for it
        self._work = None
        for failure in [task.exception() for task in done]:
            if failure is not None:
                logger.error("the streams of this process begin anew", exc_info=failure)
                for viewer in self._viewers:
                    viewer.dismiss(CloseReason.AGAIN)
        if len(self._viewers):  # somebody came while the work was being put down
            self._begin()

    async def _hear(self) -> None:
        async for attempt_id in self._listen():
            self.ring(attempt_id)

    async def _look_on(self, thread: ThreadPoolExecutor) -> None:
        next_look = self._loop.time() + self.pace.look
        while len(self._viewers):
            await self._sleep_until(next_look)
            rung, self._rung = self._rung, set()
            self._woken.clear()
            if self._loop.time() >= next_look:
                next_look = self._loop.time() + self.pace.look
                rung = self._viewers.attempts
                self._tend()
            for attempt_id, mark in (await self._ask(thread, self._look, rung) or {}).items():
                for viewer in self._viewers.watching(attempt_id):
                    viewer.tell(mark)
            self._came_round_at = self._loop.time()
            await asyncio.sleep(self.pace.apart)

    async def _sleep_until(self, moment: float) -> None:
        try:
            async with asyncio.timeout_at(moment):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _ask_on(self, thread: ThreadPoolExecutor) -> None:
        """Ask about each session now and then, one by one, so that news never wait for a crowd of them."""
        while True:
            await asyncio.sleep(self.pace.look)
            for key, user_id in self._viewers.sessions.items():
                if self._loop.time() - self._asked_at.get(key, self._loop.time()) < self.pace.session:
                    continue
                self._asked_at[key] = self._loop.time()
                if await self._ask(thread, self._ended_sessions, {key: user_id}):
                    for viewer in self._viewers.signed_in_as(key):
                        viewer.dismiss(CloseReason.AUTH)

    async def _beat_on(self, thread: ThreadPoolExecutor) -> None:
        while True:
            await self._ask(thread, self._beat, len(self._viewers))
            await asyncio.sleep(self.pace.beat)

    async def _ask(self, thread: ThreadPoolExecutor, question: Callable[[Q], T], subject: Q) -> T | None:
        """Ask the database in the one thread that does; None while it is away.

        Raises:
            TimeoutError: the thread is stuck.
        """
        async with asyncio.timeout(self.pace.question):
            try:
                return await self._loop.run_in_executor(thread, question, subject)
            except Error as failure:
                logger.warning("the database does not answer, streams wait: %s", type(failure).__name__)
                await self._loop.run_in_executor(thread, connections.close_all)
                return None

    def _tend(self) -> None:
        """Keep quiet streams warm, end old ones and those whose readers take nothing, forget those never begun."""
        now = self._loop.time()
        for viewer in self._viewers:
            if viewer.task is None and now - viewer.sent_at > self.pace.unread:
                self.leave(viewer)
            elif viewer.task and viewer.sending_since and now - viewer.sending_since > self.pace.stuck:
                viewer.task.cancel()
            elif now >= viewer.ends_at:
                viewer.dismiss(CloseReason.AGAIN)
            elif now - viewer.sent_at >= self.pace.ping:
                viewer.keep_warm()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    # One cancellation can be lost: before Python 3.12 `asyncio.wait_for`, by which redis-py sends, returns as if
    # nothing were when it is cancelled in the moment in which it is done (github.com/python/cpython/issues/86296).
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
    # of how they ended somebody has to ask, or asyncio complains
    await asyncio.gather(*tasks, return_exceptions=True)
