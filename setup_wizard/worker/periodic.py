"""Periodic work, such as deleting old rows. Apps register it; the supervisor runs it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

Job = Callable[[datetime], int]
HOURLY = timedelta(hours=1)


@dataclass
class _Planned:
    do: Job
    every: timedelta
    next_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is time to run; a clock that was set back does not delay it."""
        return self.next_at is None or not self.next_at - self.every <= now < self.next_at


class Periodic:
    """The registered jobs, each run at most as often as it asks."""

    def __init__(self) -> None:
        self._planned: dict[Job, _Planned] = {}

    def add(self, job: Job, *, every: timedelta = HOURLY) -> None:
        """Register a job: it takes the current time and returns how many rows it deleted."""
        self._planned.setdefault(job, _Planned(job, every))

    def do(self, now: datetime) -> int:
        """Run every job that is due."""
        done = 0
        for planned in self._planned.values():
            if planned.is_due(now):
                planned.next_at = now + planned.every
                done += planned.do(now)
        return done


periodic = Periodic()
