"""Open streams: who watches which attempt, and how many may at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.conf import settings


class TooManyStreams(Exception):
    """A limit is reached; the page polls instead. The message names the limit."""


class CloseReason(StrEnum):
    """Why a stream ends before its attempt does; the value is the name of the event that is sent."""

    SHUTDOWN = "bye"
    SIGNED_OUT = "auth"
    RECONNECT = "again"  # the stream is old, or the broadcaster has failed; the browser may reach another process


@dataclass(frozen=True, slots=True)
class Cursor:
    """The number of an attempt's last event, and whether more can follow."""

    seq: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which attempt is watched, in which session and by which user."""

    attempt_id: UUID
    session_key: str
    user_id: str


class OpenStream:
    """One open stream. It holds the latest cursor only, so nothing queues up for a slow reader."""

    __slots__ = (
        "close_reason",
        "cursor",
        "expires_at",
        "needs_ping",
        "sending_since",
        "sent_at",
        "subscription",
        "task",
        "wake",
    )

    def __init__(self, subscription: Subscription, cursor: Cursor, now: float, max_age: float) -> None:
        self.subscription = subscription
        self.cursor = cursor
        self.sent_at = now
        self.expires_at = now + max_age
        self.needs_ping = False
        self.close_reason: CloseReason | None = None
        self.wake = asyncio.Event()
        self.task: asyncio.Task[object] | None = None  # None until the server reads the stream
        self.sending_since: float | None = None

    def update(self, cursor: Cursor) -> None:
        """Send this cursor, unless it is the latest one already."""
        if cursor != self.cursor:
            self.cursor = cursor
            self.wake.set()

    def ping(self) -> None:
        """Send a ping."""
        self.needs_ping = True
        self.wake.set()

    def close(self, reason: CloseReason) -> None:
        """End the stream."""
        self.close_reason = reason
        self.wake.set()


class OpenStreams:
    """All streams of this process, by attempt and by session."""

    def __init__(self) -> None:
        self._by_attempt: dict[UUID, set[OpenStream]] = {}
        self._by_session: dict[str, set[OpenStream]] = {}
        self._by_user: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[OpenStream]:
        for streams in list(self._by_attempt.values()):
            yield from list(streams)

    @property
    def attempts(self) -> set[UUID]:
        """The attempts that are watched."""
        return set(self._by_attempt)

    @property
    def sessions(self) -> dict[str, str]:
        """The user id of each session that watches an attempt."""
        return {key: next(iter(streams)).subscription.user_id for key, streams in self._by_session.items()}

    def of_attempt(self, attempt_id: UUID) -> list[OpenStream]:
        """List the streams of this attempt."""
        return list(self._by_attempt.get(attempt_id, ()))

    def of_session(self, session_key: str) -> list[OpenStream]:
        """List the streams of this session."""
        return list(self._by_session.get(session_key, ()))

    def check_limits(self, subscription: Subscription) -> None:
        """Check that one more stream may be opened.

        Raises:
            TooManyStreams: one of the four limits is reached.
        """
        of_session = self._by_session.get(subscription.session_key, set())
        for used, limit, owner in (
            (self._count, settings.SETUP_WIZARD_STREAMS_PER_PROCESS, "this server"),
            (self._by_user[subscription.user_id], settings.SETUP_WIZARD_STREAMS_PER_USER, "this user"),
            (len(of_session), settings.SETUP_WIZARD_STREAMS_PER_SESSION, "this browser"),
            (
                sum(stream.subscription.attempt_id == subscription.attempt_id for stream in of_session),
                settings.SETUP_WIZARD_STREAMS_PER_ATTEMPT,
                "this attempt in this browser",
            ),
        ):
            if used >= limit:
                raise TooManyStreams(f"{owner} has {used} streams open")

    def add(self, stream: OpenStream) -> None:
        """Add this stream."""
        self._by_attempt.setdefault(stream.subscription.attempt_id, set()).add(stream)
        self._by_session.setdefault(stream.subscription.session_key, set()).add(stream)
        self._by_user[stream.subscription.user_id] += 1
        self._count += 1

    def remove(self, stream: OpenStream) -> None:
        """Remove this stream; a second time does nothing."""
        subscription = stream.subscription
        of_attempt = self._by_attempt.get(subscription.attempt_id, set())
        if stream not in of_attempt:
            return
        of_attempt.discard(stream)
        of_session = self._by_session[subscription.session_key]
        of_session.discard(stream)
        if not of_attempt:
            del self._by_attempt[subscription.attempt_id]
        if not of_session:
            del self._by_session[subscription.session_key]
        self._by_user[subscription.user_id] -= 1
        if not self._by_user[subscription.user_id]:
            del self._by_user[subscription.user_id]
        self._count -= 1
