"""So often a minute and no more, for each person.

Counted in the cache of this process: with several web processes each counts for itself, which is close enough for a
limit that keeps a runaway script in bounds.

Reference: docs/failure-modes.md, W11.
"""

import time

from django.contrib.auth.models import User
from django.core.cache import cache

SECONDS = 60


class TooOften(Exception):
    """`most` times within this minute are used up; `retry_after` is in seconds, at least 1."""

    def __init__(self, most: int, retry_after: int) -> None:
        super().__init__(f"more than {most} within a minute")
        self.most = most
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """What a person reads."""
        times = "once" if self.most == 1 else f"{self.most} times"
        return f"That was more than {times} within a minute. Try again in {self.retry_after} s."


def count(what: str, by: User, *, most: int) -> None:
    """Count one more of `what` for `by`.

    Raises:
        TooOften: it was more than `most` within the minute.
    """
    now = time.time()
    key = f"throttle:{what}:{by.pk}:{int(now // SECONDS)}"
    cache.add(key, 0, timeout=2 * SECONDS)
    if cache.incr(key) > most:
        raise TooOften(most, SECONDS - int(now % SECONDS))
