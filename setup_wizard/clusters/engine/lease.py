"""Who may change a run now, and how changes are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q

from setup_wizard.attempts import pubsub
from setup_wizard.attempts.engine import clock
from setup_wizard.clusters import timing
from setup_wizard.clusters.models import MAX_MESSAGE, OPEN_RUNS, Run, RunEvent


class RunLeaseLost(Exception):
    """Another process changed the run since it was read."""


@dataclass(frozen=True, slots=True)
class NewRunEvent:
    """An event to be written: what happened, for programs and for people."""

    kind: str
    message: str
    data: dict[str, object] = field(default_factory=dict)


def is_due(now: datetime) -> Q:
    """Match runs that a worker may take now; times too far ahead are from before the clock was set back."""
    is_time = Q(next_at__lte=now) | Q(next_at__gt=now + timing.LONGEST_DELAY)
    is_free = Q(lease_expires_at__lte=now) | Q(lease_expires_at__gt=now + timing.LONGEST_LEASE)
    return is_time & is_free


def claim(run_id: UUID) -> Run | None:
    """Claim the run if it is due and free; None otherwise."""
    now = clock.now()
    run = (
        Run.objects.select_related("plan", "started_by", "continued_by")
        .filter(is_due(now), pk=run_id, state__in=OPEN_RUNS)
        .first()
    )
    if run is None:
        return None
    try:
        write(run, lease_expires_at=now + timing.LEASE, enqueued_at=None, lease_token=run.lease_token + 1)
    except RunLeaseLost:
        return None
    return run


def write(run: Run, *events: NewRunEvent, by: User | None = None, **changes: Any) -> None:
    """Write changes and events if nobody has changed the run since it was read, and keep the lease.

    Raises:
        RunLeaseLost: somebody has; nothing was written.
    """
    changes["last_seq"] = run.last_seq + len(events)
    with transaction.atomic():
        unchanged = Run.objects.filter(pk=run.pk, lease_token=run.lease_token, last_seq=run.last_seq)
        if not unchanged.update(**changes):
            raise RunLeaseLost(str(run.pk))
        _add_events(run, events, by)
        if events:
            pubsub.notify(run.pk)
    for name, value in changes.items():
        setattr(run, name, value)


def release(run: Run, *, look_again: timedelta) -> None:
    """Give the lease back; the run is looked at again after this time.

    Raises:
        RunLeaseLost: as `write`.
    """
    now = clock.now()
    write(run, lease_expires_at=now, next_at=now + look_again)


def wake(attempt_id: UUID) -> None:
    """Have the run of this attempt looked at now; a worker that looks at it meanwhile loses its lease."""
    moment = now()
    Run.objects.filter(steps__attempt_id=attempt_id, state__in=OPEN_RUNS).update(
        next_at=moment, enqueued_at=None, lease_expires_at=moment, lease_token=F("lease_token") + 1
    )


def check_held(run: Run) -> None:
    """Make sure, until the transaction ends, that nobody has changed the run since it was claimed.

    Raises:
        RunLeaseLost: somebody has.
    """
    row = Run.objects.select_for_update().filter(pk=run.pk, lease_token=run.lease_token, state__in=OPEN_RUNS)
    if not row.values_list("pk").first():
        raise RunLeaseLost(str(run.pk))


def now() -> datetime:
    """Read the clock of all leases."""
    return clock.now()


def _add_events(run: Run, events: Sequence[NewRunEvent], by: User | None) -> None:
    for seq, event in enumerate(events, start=run.last_seq + 1):
        RunEvent.objects.create(
            run=run, seq=seq, kind=event.kind, message=event.message[:MAX_MESSAGE], data=event.data, by=by
        )
