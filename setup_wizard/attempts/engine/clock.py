"""The one clock for leases, ticks and deadlines.

With PostgreSQL several machines work together and their clocks differ, so the database server's clock is used. With
SQLite there is one machine, whose clock may jump: a jump forward ends leases early, which costs a tick; after a jump
back, a tick that is planned too far ahead counts as due.

The time between two polls is also measured with the machine's monotonic clock, which nobody can set. The timeout of a
POST uses the same one, and both stop while the machine sleeps. Between two machines it cannot be compared; there the
reducer's maximum per poll applies.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Self

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from setup_wizard.attempts import timing


def now() -> datetime:
    """Read the clock."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


@dataclass(frozen=True, slots=True)
class Mark:
    """The monotonic clock of a machine at one moment; `machine` is empty where its boots cannot be told apart."""

    machine: str
    seconds: float

    @classmethod
    def now(cls) -> Self:
        """Read this machine's monotonic clock, which all of its processes share."""
        return cls(_machine(), monotonic())

    def since(self, earlier: "Mark") -> timedelta | None:
        """The time since an earlier mark; None when it is from another machine or another boot."""
        if not self.machine or self.machine != earlier.machine:
            return None
        return timedelta(seconds=max(0.0, self.seconds - earlier.seconds))


@cache
def _machine() -> str:
    """Identify this boot of this machine: Linux creates a random id at each."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:36]
    except OSError:
        return ""


def is_due(moment: datetime) -> Q:
    """Match attempts whose next tick is due, or was planned before the clock was set back."""
    return Q(next_tick_at__lte=moment) | Q(next_tick_at__gt=moment + timing.LONGEST_DELAY)


def is_free(moment: datetime) -> Q:
    """Match attempts whose lease has ended, or is longer than any lease can be."""
    # LONGEST_LEASE has some slack: the holder may have read the clock a little later than this process
    return Q(lease_expires_at__lte=moment) | Q(lease_expires_at__gt=moment + timing.LONGEST_LEASE)
