"""One broadcaster for each process: it polls for all streams together, and notifies them.

It reads the cursors of all watched topics once a second, and at once when Redis publishes that what they are about has
changed. It also checks now and then that the sessions of the streams have not ended, and that their users may still see
what they watch. It runs only while there are streams, with one thread and one database connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from random import uniform
from typing import Final, TypeVar
from uuid import UUID

from django.db import Error, connections

from setup_wizard.attempts import pubsub
from setup_wizard.live import topics
from setup_wizard.live.stream import queries
from setup_wizard.live.stream.open_streams import CloseReason, OpenStream, OpenStreams, Subscription
from setup_wizard.live.stream.timing import DEFAULT_INTERVALS, Intervals
from setup_wizard.live.topics import Cursor, Topic

Q = TypeVar("Q")
T = TypeVar("T")
CANCEL_AGAIN_SECONDS: Final = 1.0
logger = logging.getLogger(__name__)


class Broadcaster:
    """Notifies streams; `subscribe` adds one, `unsubscribe` is called at the end of each."""

    def __init__(
        self,
        *,
        read_cursors: Callable[[Collection[Topic]], Mapping[Topic, Cursor]] = topics.read,
        why_close: Callable[[Subscription], CloseReason | None] = queries.why_close,
        listen: Callable[[], AsyncIterator[UUID]] = pubsub.subscribe,
        save_heartbeat: Callable[[int], None] = lambda _: None,
        intervals: Intervals = DEFAULT_INTERVALS,
    ) -> None:
        self.intervals = intervals
        self.is_closing = False
        self._read_cursors, self._why_close = read_cursors, why_close
        self._listen, self._save_heartbeat = listen, save_heartbeat
        self._loop = asyncio.get_running_loop()
        self._streams = OpenStreams()
        self._notified: set[Topic] = set()
        self._wake = asyncio.Event()
        self._session_checked_at: dict[str, float] = {}
        self._running: asyncio.Task[None] | None = None
        self._polled_at = self._loop.time()

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def is_stuck(self) -> bool:
        """Whether there are streams and no poll has completed for too long; any thread may ask."""
        return bool(len(self._streams)) and self._loop.time() - self._polled_at > self.intervals.stale

    def subscribe(self, subscription: Subscription, cursors: Mapping[Topic, Cursor]) -> OpenStream:
        """Add a stream; `cursors` are the first that it sends.

        Raises:
            TooManyStreams: a limit is reached.
        """
        self._streams.check_limits(subscription)
        max_age = self.intervals.max_age * uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
        stream = OpenStream(subscription, cursors, self._loop.time(), max_age)
        self._streams.add(stream)
        self._session_checked_at.setdefault(subscription.session_key, self._loop.time())
        if self._running is None:
            self._polled_at = self._loop.time()
            self._start()
        return stream

    def unsubscribe(self, stream: OpenStream) -> None:
        """Remove this stream."""
        self._streams.remove(stream)
        if not self._streams.of_session(stream.subscription.session_key):
            self._session_checked_at.pop(stream.subscription.session_key, None)

    def notify(self, changed: UUID) -> None:
        """Read the cursors of what this id concerns now, if anybody watches it."""
        key = str(changed)
        concerned = {topic for topic in self._streams.topics if topic.key == key or topics.follows_all(topic)}
        if concerned:
            self._notified |= concerned
            self._wake.set()

    def close(self) -> None:
        """End every stream: this process stops, and the browsers reconnect to another one."""
        self.is_closing = True
        for stream in self._streams:
            stream.close(CloseReason.SHUTDOWN)

    def _start(self) -> None:
        # a fresh context: the task must not keep the thread or anything else of the request that starts it
        self._running = self._loop.create_task(self._run(), context=Context())

    async def _run(self) -> None:
        """Run until there are no streams. When a part fails, all streams reconnect, which starts it again."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="stream")
        tasks = [
            self._loop.create_task(part)
            for part in (self._poll(thread), self._check_sessions(thread), self._beat(thread), self._receive())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(tasks)
            if not len(self._streams):
                with suppress(TimeoutError):
                    await self._query(thread, self._save_heartbeat, 0)
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)  # it may be stuck
        self._running = None
        for failure in [task.exception() for task in done]:
            if failure is not None:
                logger.error("the broadcaster failed, all streams reconnect", exc_info=failure)
                for stream in self._streams:
                    stream.close(CloseReason.RECONNECT)
        if len(self._streams):  # somebody subscribed during the shutdown
            self._start()

    async def _receive(self) -> None:
        async for changed in self._listen():
            self.notify(changed)

    async def _poll(self, thread: ThreadPoolExecutor) -> None:
        next_poll = self._loop.time() + self.intervals.poll
        while len(self._streams):
            await self._sleep_until(next_poll)
            wanted, self._notified = self._notified, set()
            self._wake.clear()
            if self._loop.time() >= next_poll:
                next_poll = self._loop.time() + self.intervals.poll
                wanted = self._streams.topics
                self._check_streams()
            for topic, cursor in (await self._query(thread, self._read_cursors, wanted) or {}).items():
                for stream in self._streams.of_topic(topic):
                    stream.update(topic, cursor)
            self._polled_at = self._loop.time()
            await asyncio.sleep(self.intervals.min_gap)

    async def _sleep_until(self, moment: float) -> None:
        try:
            async with asyncio.timeout_at(moment):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _check_sessions(self, thread: ThreadPoolExecutor) -> None:
        """Check each session now and then, one by one, so that many of them never delay a notification."""
        while True:
            await asyncio.sleep(self.intervals.poll)
            for key in self._streams.sessions:
                now = self._loop.time()
                if now - self._session_checked_at.get(key, now) < self.intervals.session_check:
                    continue
                self._session_checked_at[key] = now
                for stream in self._streams.of_session(key):
                    if reason := await self._query(thread, self._why_close, stream.subscription):
                        stream.close(reason)

    async def _beat(self, thread: ThreadPoolExecutor) -> None:
        while True:
            await self._query(thread, self._save_heartbeat, len(self._streams))
            await asyncio.sleep(self.intervals.broadcaster_heartbeat)

    async def _query(self, thread: ThreadPoolExecutor, query: Callable[[Q], T], argument: Q) -> T | None:
        """Run a query in the database thread; None while the database is unavailable.

        Raises:
            TimeoutError: the thread is stuck.
        """
        async with asyncio.timeout(self.intervals.query_timeout):
            try:
                return await self._loop.run_in_executor(thread, query, argument)
            except Error as failure:
                logger.warning("the database is unavailable, streams wait: %s", type(failure).__name__)
                await self._loop.run_in_executor(thread, connections.close_all)
                return None

    def _check_streams(self) -> None:
        """Ping idle streams, end old ones and those whose readers are stuck, drop those that were never read."""
        now, intervals = self._loop.time(), self.intervals
        for stream in self._streams:
            if stream.task is None and now - stream.sent_at > intervals.first_read_timeout:
                self.unsubscribe(stream)
            elif stream.task and stream.sending_since and now - stream.sending_since > intervals.send_timeout:
                stream.task.cancel()
            elif now >= stream.expires_at:
                stream.close(CloseReason.RECONNECT)
            elif now - stream.sent_at >= intervals.ping:
                stream.ping()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    # One cancellation can be lost: before Python 3.12 `asyncio.wait_for`, which redis-py uses to send, swallows it when
    # it arrives just as the send completes (github.com/python/cpython/issues/86296).
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
    # asyncio complains about exceptions that nobody retrieves
    await asyncio.gather(*tasks, return_exceptions=True)
