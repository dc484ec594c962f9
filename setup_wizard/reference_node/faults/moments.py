"""The moment that a fault waits for: a time, or a state of the bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Self

from setup_wizard.reference_node.lifecycle import State

USAGE = "now|SECONDS|accept+SECONDS|STATE"
ENDS = frozenset({State.COMPLETED, State.ERROR})


@dataclass
class Timeline:
    """What has happened on one node: where its bootstrap stands, and when the last one was accepted (monotonic)."""

    state: Callable[[], State]
    addresses: list[str]
    accepted_at: float | None = None


def rank(state: State) -> int:
    """How far a bootstrap has come: all states of work are one, and so are both ends."""
    if state in ENDS:
        return 3
    return {State.IDLE: 0, State.INITIATED: 1}.get(state, 2)


@dataclass
class Moment:
    """A moment, and whether it has come; once it has, that stays so.

    It is looked at when something arrives, so a state that was passed in between counts as reached.
    """

    seconds: float = 0.0
    after_accept: bool = False
    state: State | None = None
    reached_at: float | None = None
    _timeline: Timeline | None = None
    _begun: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``now``, seconds from now, ``accept+`` seconds or the word of a state; raises ValueError."""
        if text in {"now", ""}:
            return cls()
        if text[0].isdigit():
            return cls(_read(text))
        if text.startswith("accept+"):
            return cls(_read(text.removeprefix("accept+")), after_accept=True)
        return cls(state=State(text))

    def begin(self, timeline: Timeline) -> None:
        """Count from now on."""
        self._timeline, self._begun, self.reached_at = timeline, monotonic(), None

    def has_come(self) -> bool:
        """Say whether it has."""
        if self.reached_at is None and (due := self._due()) is not None and due <= monotonic():
            self.reached_at = due
        return self.reached_at is not None

    def lasts(self, seconds: float) -> bool:
        """Say whether it has come, and not longer ago than this."""
        return self.has_come() and monotonic() < (self.reached_at or 0.0) + seconds

    def _due(self) -> float | None:
        if self._timeline is None:
            return None
        accepted = self._timeline.accepted_at
        if self.after_accept:
            return None if accepted is None else max(accepted + self.seconds, self._begun)
        if self.state is None:
            return self._begun + self.seconds
        current = self._timeline.state()
        has_run = accepted is not None and accepted >= self._begun
        # a run that has passed the state since, or one that stands in it now
        passed = has_run and self.state not in ENDS and rank(current) >= rank(self.state)
        return monotonic() if passed or current == self.state else None


def _read(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 1e9:
        raise ValueError(text)
    return seconds
