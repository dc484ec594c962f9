"""The one clock that leases, ticks and deadlines go by. Reference: docs/failure-modes.md, row 32.

With PostgreSQL several machines may work, and their clocks differ: the server's own counts. SQLite is one machine,
whose clock may still jump: a jump forward ends leases early, which costs a tick; after a jump back, what is planned
further ahead than anything is ever planned counts as due. How much time a decision may believe to have passed since the
last look is capped in the reducer.
"""

from datetime import datetime

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


def is_due(moment: datetime) -> Q:
    """Match attempts whose next tick is due, or was planned by a clock that has been put back since."""
    return Q(next_tick_at__lte=moment) | Q(next_tick_at__gt=moment + timing.LONGEST_PLAN)


def is_free(moment: datetime) -> Q:
    """Match attempts whose lease has ended: also one that reaches further than any lease can."""
    return Q(lease_expires_at__lte=moment) | Q(lease_expires_at__gt=moment + timing.LEASE)
