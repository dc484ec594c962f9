"""What is to be tidied up now and then. The supervisor does it; rooms above this one say what there is to do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

Chore = Callable[[datetime], int]
HOURLY = timedelta(hours=1)


@dataclass
class _Planned:
    """One chore, how often it is done, and when again."""

    do: Chore
    every: timedelta
    next_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Say whether its time has come; a clock that was put back does not put it off."""
        return self.next_at is None or not self.next_at - self.every <= now < self.next_at


class Chores:
    """All of it, each at most as often as was said."""

    def __init__(self) -> None:
        self._planned: dict[Chore, _Planned] = {}

    def add(self, chore: Chore, *, every: timedelta = HOURLY) -> None:
        """Have one more thing done; it takes the time and says how many rows it took away."""
        self._planned.setdefault(chore, _Planned(chore, every))

    def do(self, now: datetime) -> int:
        """Do whatever is due."""
        done = 0
        for planned in self._planned.values():
            if planned.is_due(now):
                planned.next_at = now + planned.every
                done += planned.do(now)
        return done


chores = Chores()
