"""Open streams: who watches which topics, and how many may at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from setup_wizard.live.topics import ATTEMPT, Cursor, Topic


class TooManyStreams(Exception):
    """A limit is reached; the page polls instead. The message names the limit."""


class CloseReason(StrEnum):
    """Why a stream ends before its topics do; the value is the name of the event that is sent."""

    SHUTDOWN = "bye"
    SIGNED_OUT = "auth"
    RECONNECT = "again"  # the stream is old, its user's rights changed, or the broadcaster has failed


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which topics are watched, with the names that the browser uses, in which session and by which user."""

    names: Mapping[Topic, str]
    session_key: str
    user_id: str


class OpenStream:
    """One open stream. It holds the latest cursors only, so nothing queues up for a slow reader."""

    __slots__ = (
        "close_reason",
        "cursors",
        "expires_at",
        "needs_ping",
        "sending_since",
        "sent_at",
        "subscription",
        "task",
        "wake",
    )

    def __init__(self, subscription: Subscription, cursors: Mapping[Topic, Cursor], now: float, max_age: float) -> None:
        self.subscription = subscription
        self.cursors = dict(cursors)
        self.sent_at = now
        self.expires_at = now + max_age
        self.needs_ping = False
        self.close_reason: CloseReason | None = None
        self.wake = asyncio.Event()
        self.task: asyncio.Task[object] | None = None  # None until the server reads the stream
        self.sending_since: float | None = None

    def update(self, topic: Topic, cursor: Cursor) -> None:
        """Send this cursor, unless it is the latest one already."""
        if cursor != self.cursors[topic]:
            self.cursors[topic] = cursor
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
    """All streams of this process, by topic and by session."""

    def __init__(self) -> None:
        self._streams: set[OpenStream] = set()
        self._by_topic: dict[Topic, set[OpenStream]] = {}
        self._by_session: dict[str, set[OpenStream]] = {}
        self._by_user: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[OpenStream]:
        yield from list(self._streams)

    @property
    def topics(self) -> set[Topic]:
        """The topics that are watched."""
        return set(self._by_topic)

    @property
    def sessions(self) -> list[str]:
        """The keys of the sessions that watch something."""
        return list(self._by_session)

    def of_topic(self, topic: Topic) -> list[OpenStream]:
        """List the streams that watch this topic."""
        return list(self._by_topic.get(topic, ()))

    def of_session(self, session_key: str) -> list[OpenStream]:
        """List the streams of this session."""
        return list(self._by_session.get(session_key, ()))

    def check_limits(self, subscription: Subscription) -> None:
        """Check that one more stream may be opened.

        Raises:
            TooManyStreams: one of the four limits is reached.
        """
        of_session = self._by_session.get(subscription.session_key, set())
        watched = Counter(topic for stream in of_session for topic in stream.subscription.names)
        for used, limit, owner in (
            (len(self), settings.SETUP_WIZARD_STREAMS_PER_PROCESS, "this server"),
            (self._by_user[subscription.user_id], settings.SETUP_WIZARD_STREAMS_PER_USER, "this user"),
            (len(of_session), settings.SETUP_WIZARD_STREAMS_PER_SESSION, "this browser"),
            (
                max((watched[topic] for topic in subscription.names if topic.kind == ATTEMPT.name), default=0),
                settings.SETUP_WIZARD_STREAMS_PER_ATTEMPT,
                "this attempt in this browser",
            ),
        ):
            if used >= limit:
                raise TooManyStreams(f"{owner} has {used} streams open")

    def add(self, stream: OpenStream) -> None:
        """Add this stream."""
        self._streams.add(stream)
        for topic in stream.subscription.names:
            self._by_topic.setdefault(topic, set()).add(stream)
        self._by_session.setdefault(stream.subscription.session_key, set()).add(stream)
        self._by_user[stream.subscription.user_id] += 1

    def remove(self, stream: OpenStream) -> None:
        """Remove this stream; a second time does nothing."""
        if stream not in self._streams:
            return
        self._streams.discard(stream)
        subscription = stream.subscription
        for topic in subscription.names:
            self._by_topic[topic].discard(stream)
            if not self._by_topic[topic]:
                del self._by_topic[topic]
        of_session = self._by_session[subscription.session_key]
        of_session.discard(stream)
        if not of_session:
            del self._by_session[subscription.session_key]
        self._by_user[subscription.user_id] -= 1
        if not self._by_user[subscription.user_id]:
            del self._by_user[subscription.user_id]
