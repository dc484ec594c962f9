"""Find the attempts that are due and those whose deadline has passed. The rows are the truth, not the queue."""

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
    """Give each attempt that a worker should take now, marked as enqueued; two supervisors never get the same one.

    Attempts whose node answers come first, oldest first. A node that accepts a connection and then stays silent blocks
    a worker thread for seconds, so the number of silent nodes in the queue is limited. While no worker runs, nothing is
    enqueued twice: a worker that comes back would have to work through the duplicates first.
    """
    waiting = Q(enqueued_at=None) | Q(enqueued_at__gt=now)
    if heartbeats.is_fresh(Heartbeat.objects.filter(part=heartbeats.WORKER).first(), timing.CANARY_STALE, now):
        waiting |= Q(enqueued_at__lte=now - timing.ENQUEUE_AGAIN)
    rows = Attempt.objects.filter(waiting, clock.is_due(now), clock.is_free(now), state__in=MOVING_STATES).values_list(
        "pk", "enqueued_at", "silent_since", "next_tick_at"
    )
    found = sorted(rows, key=lambda row: (row[2] is not None, row[3]))
    left = timing.MAX_SILENT_NODES - _count_silent(now) if any(row[2] for row in found) else 0
    for pk, enqueued_at, silent_since, _ in found:
        if silent_since is not None:
            if left <= 0:
                return
            left -= 1
        if Attempt.objects.filter(clock.is_free(now), pk=pk, enqueued_at=enqueued_at).update(enqueued_at=now):
            yield pk


def _count_silent(now: datetime) -> int:
    """Count the attempts with a silent node that a worker holds now or will claim in a moment."""
    held = Q(lease_held=True, lease_expires_at__gt=now)
    enqueued = Q(enqueued_at__gt=now - timing.ENQUEUE_AGAIN)
    return Attempt.objects.filter(held | enqueued, state__in=MOVING_STATES).exclude(silent_since=None).count()


def next_at(now: datetime) -> datetime | None:
    """Say when the next tick is due; None when none is planned."""
    coming = Attempt.objects.filter(state__in=MOVING_STATES, next_tick_at__gt=now, enqueued_at=None)
    moment: datetime | None = coming.aggregate(at=Min("next_tick_at"))["at"]
    return moment


def pause(now: datetime, *planned: datetime | None) -> float:
    """Say how many seconds to sleep: until the first of these moments, at most the allowed lateness."""
    waits = [(moment - now).total_seconds() for moment in planned if moment]
    return max(0.0, min([*waits, timing.SUPERVISOR_LATENESS]))


def unmark(attempt_id: UUID) -> None:
    """Remove the mark: the message could not be sent."""
    Attempt.objects.filter(pk=attempt_id).update(enqueued_at=None)


def sweep(now: datetime) -> int:
    """Handle every attempt whose deadline has passed or that has waited a week for the operator.

    Workers enforce deadlines themselves; this is for times without a worker. It also deletes the locks of ended
    attempts, the heartbeats of stopped web processes and expired credentials. Returns how many attempts it moved and
    credentials it deleted.
    """
    # an attempt whose ticks always fail is never free: ignore the lease once the deadline passed a whole lease ago
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
    Heartbeat.objects.filter(part__startswith=f"{heartbeats.WEB}:", at__lte=now - timing.WEB_HEARTBEAT_KEPT).delete()
    return moved + vault.purge(now)
