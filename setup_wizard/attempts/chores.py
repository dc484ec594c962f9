"""What is to be tidied up now and then. The supervisor does it; rooms above this one say what there is to do."""

from collections.abc import Callable
from datetime import datetime, timedelta

Chore = Callable[[datetime], int]
EVERY = timedelta(hours=1)


class Chores:
    """All of it, done at most once an hour."""

    def __init__(self) -> None:
        self._chores: list[Chore] = []
        self._next_at: datetime | None = None

    def add(self, chore: Chore) -> None:
        """Have one more thing done; it takes the time and says how many rows it took away."""
        if chore not in self._chores:
            self._chores.append(chore)

    def do(self, now: datetime) -> int:
        """Do all of it, if the time has come; a clock that was put back does not put it off."""
        if self._next_at and self._next_at - EVERY <= now < self._next_at:
            return 0
        self._next_at = now + EVERY
        return sum(chore(now) for chore in self._chores)


chores = Chores()
