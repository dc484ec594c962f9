"""Who watches which attempt from where, and how many may at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.conf import settings


class TooManyStreams(Exception):
    """A limit is reached; the page asks every few seconds instead. The message names the limit."""


class CloseReason(StrEnum):
    """Why a stream is ended before its attempt is; its value is the event's name."""

    BYE = "bye"  # this process stops
    AUTH = "auth"  # the session has ended
    AGAIN = "again"  # it has lasted long; whoever watches on connects anew, perhaps to another process


@dataclass(frozen=True, slots=True)
class Mark:
    """How far an attempt has come: the number of its last event, and whether more can follow."""

    seq: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Seat:
    """What is watched, and by whom."""

    attempt_id: UUID
    session_key: str
    user_id: str


class Viewer:
    """One open stream. It holds the latest mark alone, so a slow reader can never pile anything up."""

    __slots__ = ("ends_at", "farewell", "is_settled", "mark", "seat", "sending_since", "sent_at", "task", "wake")

    def __init__(self, seat: Seat, mark: Mark, now: float, life: float) -> None:
        self.seat = seat
        self.mark = mark
        self.sent_at = now
        self.ends_at = now + life
        self.is_settled = False  # for so long that the line has to be kept warm
        self.farewell: CloseReason | None = None
        self.wake = asyncio.Event()
        self.task: asyncio.Task[object] | None = None  # None until its stream is read from
        self.sending_since: float | None = None

    def tell(self, mark: Mark) -> None:
        """Let the stream send this mark, unless it knows it."""
        if mark != self.mark:
            self.mark = mark
            self.wake.set()

    def keep_warm(self) -> None:
        """Let the stream say that it stands."""
        self.is_settled = True
        self.wake.set()

    def dismiss(self, farewell: CloseReason) -> None:
        """Let the stream end."""
        self.farewell = farewell
        self.wake.set()


class Viewers:
    """All viewers of this process, by attempt and by session."""

    def __init__(self) -> None:
        self._by_attempt: dict[UUID, set[Viewer]] = {}
        self._by_session: dict[str, set[Viewer]] = {}
        self._by_user: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Viewer]:
        for viewers in list(self._by_attempt.values()):
            yield from list(viewers)

    @property
    def attempts(self) -> set[UUID]:
        """The attempts that somebody watches."""
        return set(self._by_attempt)

    @property
    def sessions(self) -> dict[str, str]:
        """The user's id for each session that watches anything."""
        return {key: next(iter(viewers)).seat.user_id for key, viewers in self._by_session.items()}

    def watching(self, attempt_id: UUID) -> list[Viewer]:
        """Give those who watch this attempt."""
        return list(self._by_attempt.get(attempt_id, ()))

    def signed_in_as(self, session_key: str) -> list[Viewer]:
        """Give those who watch from this session."""
        return list(self._by_session.get(session_key, ()))

    def check_room(self, seat: Seat) -> None:
        """Let one more in, or not.

        Raises:
            TooManyStreams: one of the four limits is reached. Reference: W10.
        """
        here = self._by_session.get(seat.session_key, set())
        for used, limit, whose in (
            (self._count, settings.SETUP_WIZARD_STREAMS_PER_PROCESS, "this server"),
            (self._by_user[seat.user_id], settings.SETUP_WIZARD_STREAMS_PER_USER, "this user"),
            (len(here), settings.SETUP_WIZARD_STREAMS_PER_SESSION, "this browser"),
            (
                sum(viewer.seat.attempt_id == seat.attempt_id for viewer in here),
                settings.SETUP_WIZARD_STREAMS_PER_ATTEMPT,
                "this attempt in this browser",
            ),
        ):
            if used >= limit:
                raise TooManyStreams(f"{whose} has {used} streams open")

    def add(self, viewer: Viewer) -> None:
        """Count this viewer in."""
        self._by_attempt.setdefault(viewer.seat.attempt_id, set()).add(viewer)
        self._by_session.setdefault(viewer.seat.session_key, set()).add(viewer)
        self._by_user[viewer.seat.user_id] += 1
        self._count += 1

    def remove(self, viewer: Viewer) -> None:
        """Count this viewer out; a second time does nothing."""
        watching = self._by_attempt.get(viewer.seat.attempt_id, set())
        if viewer not in watching:
            return
        watching.discard(viewer)
        signed_in = self._by_session[viewer.seat.session_key]
        signed_in.discard(viewer)
        if not watching:
            del self._by_attempt[viewer.seat.attempt_id]
        if not signed_in:
            del self._by_session[viewer.seat.session_key]
        self._by_user[viewer.seat.user_id] -= 1
        if not self._by_user[viewer.seat.user_id]:
            del self._by_user[viewer.seat.user_id]
        self._count -= 1
