"""The one clock that leases, ticks and deadlines go by. Reference: docs/failure-modes.md, row 32.

With PostgreSQL several machines may work, and their clocks differ: the server's own counts. SQLite is one machine,
whose clock may still jump: a jump forward ends leases early, which costs a tick; after a jump back, what is planned
further ahead than anything is ever planned counts as due.

How much time has passed since the last look is no matter of clocks alone: each look leaves a mark of the machine's own
steady counter, which no setting of a clock moves. It is the counter that the sender of a POST goes by, too, and stands
still with it while the machine sleeps. Between two machines it says nothing; there the reducer's caps are what is left.
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
    """Ask the clock."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a machine's steady counter stood; `machine` is empty where nothing tells one of its starts from another."""

    machine: str
    seconds: float

    @classmethod
    def now(cls) -> Self:
        """Read this machine's counter, which all of its processes share."""
        return cls(_machine(), monotonic())

    def since(self, earlier: "Mark") -> timedelta | None:
        """How long ago the earlier mark was left; None when another machine left it, or this one before a restart."""
        if not self.machine or self.machine != earlier.machine:
            return None
        return timedelta(seconds=max(0.0, self.seconds - earlier.seconds))


@cache
def _machine() -> str:
    """Name this start of this machine: Linux makes a random number at each."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:36]
    except OSError:
        return ""


def is_due(moment: datetime) -> Q:
    """Match attempts whose next tick is due, or was planned by a clock that has been put back since."""
    return Q(next_tick_at__lte=moment) | Q(next_tick_at__gt=moment + timing.LONGEST_DELAY)


def is_free(moment: datetime) -> Q:
    """Match attempts whose lease has ended: also one that reaches further than any lease can."""
    # the holder may have read the clock a little later than the process that asks, and committed its claim earlier
    return Q(lease_expires_at__lte=moment) | Q(lease_expires_at__gt=moment + timing.LONGEST_LEASE)
