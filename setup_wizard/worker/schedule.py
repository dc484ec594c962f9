"""What is due, what was rung for, whose time is over. The supervisor asks; the rows are the truth.

Reference: docs/failure-modes.md, D3.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q

from setup_wizard.attempts import timing, vault
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.engine.lease import LeaseLost, save_decision, snapshot_of
from setup_wizard.attempts.models import MOVING_STATES, OPEN_STATES, Attempt, ClusterLock
from setup_wizard.attempts.reducer import expire
from setup_wizard.attempts.states import State
from setup_wizard.failpoints import Point, reach
from setup_wizard.monitoring import heartbeats
from setup_wizard.monitoring.models import Heartbeat


def due(now: datetime) -> Iterator[UUID]:
    """Give each attempt that a worker should take now, marked as rung for; two supervisors never get the same one.

    Those whose node answers come first, by the time at which they became due. A node that accepts a connection and
    says nothing keeps a thread of the worker for seconds, so only so many silent ones are rung for at once. While no
    worker takes up anything, nothing is rung for twice: whoever comes would find an hour's rings before the next one.
    """
    waiting = Q(enqueued_at=None) | Q(enqueued_at__gt=now)
    if heartbeats.is_fresh(Heartbeat.objects.filter(part=heartbeats.WORKER).first(), timing.CANARY_STALE, now):
        waiting |= Q(enqueued_at__lte=now - timing.ENQUEUE_AGAIN)
    rows = Attempt.objects.filter(waiting, clock.is_due(now), clock.is_free(now), state__in=MOVING_STATES).values_list(
        "pk", "enqueued_at", "silent_since", "next_tick_at"
    )
    found = sorted(rows, key=lambda row: (row[2] is not None, row[3]))
    room = timing.SILENT_AT_ONCE - _silent_in_hand(now) if any(row[2] for row in found) else 0
    for pk, enqueued_at, silent_since, _ in found:
        if silent_since is not None:
            if room <= 0:
                return
            room -= 1
        if Attempt.objects.filter(clock.is_free(now), pk=pk, enqueued_at=enqueued_at).update(enqueued_at=now):
            yield pk


def _silent_in_hand(now: datetime) -> int:
    """Count the attempts with a silent node that a worker holds now, or will take up in a moment."""
    held = Q(lease_held=True, lease_expires_at__gt=now)
    rung = Q(enqueued_at__gt=now - timing.ENQUEUE_AGAIN)
    return Attempt.objects.filter(held | rung, state__in=MOVING_STATES).exclude(silent_since=None).count()


def pause(now: datetime) -> float:
    """Say how many seconds nothing becomes due, as far as is known now; at most the lateness that is allowed."""
    coming = Attempt.objects.filter(state__in=MOVING_STATES, next_tick_at__gt=now, enqueued_at=None)
    next_at: datetime | None = coming.aggregate(at=Min("next_tick_at"))["at"]
    if next_at is None:
        return timing.SUPERVISOR_LATENESS
    return min((next_at - now).total_seconds(), timing.SUPERVISOR_LATENESS)


def unmark(attempt_id: UUID) -> None:
    """Take the mark off again: the ring could not be sent."""
    Attempt.objects.filter(pk=attempt_id).update(enqueued_at=None)


def sweep(now: datetime) -> int:
    """End or rest every attempt whose deadline has passed unheeded, and forget every secret whose time is over.

    Workers keep deadlines themselves; this is for the time in which none comes round.
    """
    # one that is claimed again and again, and breaks each time, is never free: a lease's length later that is no matter
    late = clock.is_free(now) | Q(deadline_at__lte=now - timing.LEASE)
    overdue = Q(state__in=MOVING_STATES, deadline_at__lte=now) & late
    abandoned = Q(state=State.NEEDS_OPERATOR, waiting_since__lte=now - timing.ABANDONED_AFTER)
    moved = 0
    for attempt in Attempt.objects.filter(overdue | abandoned):
        before = snapshot_of(attempt)
        outcome = expire(before, now)
        if outcome is None:
            continue
        try:
            with transaction.atomic():
                save_decision(attempt, before, outcome, now, lease_token=attempt.lease_token + 1)
                reach(Point.SWEEP_COMMIT)
        except LeaseLost:
            continue
        reach(Point.SWEEP_COMMITTED)
        moved += 1
    ClusterLock.objects.exclude(attempt__state__in=OPEN_STATES).delete()
    Heartbeat.objects.filter(part__startswith=f"{heartbeats.WEB}:", at__lte=now - timing.WEB_FORGOTTEN).delete()
    return moved + vault.purge(now)
