"""Which runs are due."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Min, Q

from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.clusters import timing
from setup_wizard.clusters.engine import lease
from setup_wizard.clusters.models import OPEN_RUNS, Run
from setup_wizard.worker.due_work import DueWork, due_work


def register() -> None:
    """Let the supervisor enqueue the runs that are due, and the end of an attempt wake its run."""
    due_work.add(DueWork(due, _enqueue, _unmark, next_at))
    attempts_engine.attempt_listeners.append(lease.wake)


def due(now: datetime) -> Iterator[UUID]:
    """Give each run that a worker should take now, marked as enqueued."""
    waiting = Q(enqueued_at=None) | Q(enqueued_at__gt=now) | Q(enqueued_at__lte=now - timing.ENQUEUE_AGAIN)
    rows = Run.objects.filter(waiting, lease.is_due(now), state__in=OPEN_RUNS)
    for pk, enqueued_at in rows.order_by("next_at").values_list("pk", "enqueued_at"):
        if Run.objects.filter(pk=pk, enqueued_at=enqueued_at).update(enqueued_at=now):
            yield pk


def next_at(now: datetime) -> datetime | None:
    """Say when the next run is due; None when none is planned."""
    coming = Run.objects.filter(state__in=OPEN_RUNS, next_at__gt=now, enqueued_at=None)
    moment: datetime | None = coming.aggregate(at=Min("next_at"))["at"]
    return moment


def _enqueue(run_id: UUID) -> None:
    from setup_wizard.clusters import tasks  # noqa: PLC0415 - Celery is configured when the first message is sent

    tasks.advance_run.delay(str(run_id))


def _unmark(run_id: UUID) -> None:
    Run.objects.filter(pk=run_id).update(enqueued_at=None)
