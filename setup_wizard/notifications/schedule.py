"""Which events are to be read and which deliveries are due.

A receiver that does not answer holds a thread of the worker for seconds. So few deliveries run at the same time, only
one of each webhook and one e-mail: attempts have the other threads.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Min, Q

from setup_wizard.notifications import outbox
from setup_wizard.notifications.deliveries import BUSY, is_due
from setup_wizard.notifications.models import Delivery, DeliveryState, EventCursor
from setup_wizard.notifications.sources import sources
from setup_wizard.worker.due_work import DueWork, due_work

ENQUEUE_AGAIN: Final = timedelta(seconds=30)
MAX_RUNNING: Final = 4


def register() -> None:
    """Let the supervisor enqueue this work."""
    due_work.add(DueWork(_due_cursors, _enqueue_reading, _unmark_cursor, lambda _: None))
    due_work.add(DueWork(due_deliveries, _enqueue_delivery, _unmark_delivery, _next_try_at))


def _due_cursors(now: datetime) -> Iterator[UUID]:
    """Give each source with new events, marked as enqueued; a new source is read from now on."""
    cursors = list(EventCursor.objects.all())
    if len(cursors) < len(sources()):
        outbox.begin()
    for cursor in cursors:
        marked = cursor.enqueued_at
        waits = marked is not None and now - ENQUEUE_AGAIN < marked <= now
        if waits or not outbox.has_news(cursor, now):
            continue
        if EventCursor.objects.filter(pk=cursor.pk, enqueued_at=marked).update(enqueued_at=now):
            yield cursor.pk


def due_deliveries(now: datetime) -> Iterator[UUID]:
    """Give each delivery that a worker should try now, marked as enqueued: the longest due first."""
    running = set(Delivery.objects.filter(_is_running(now), state=DeliveryState.WAITING).values_list("pk", "webhook"))
    busy = {webhook for _, webhook in running}
    free = MAX_RUNNING - len(running)
    enabled = Q(webhook__is_enabled=True) | Q(webhook=None)
    due = Delivery.objects.filter(is_due(now), _is_unmarked(now), enabled)
    rows = due.exclude(webhook__in=busy - {None}).order_by("next_try_at")
    for pk, webhook, enqueued_at in rows.values_list("pk", "webhook", "enqueued_at")[: 50 * MAX_RUNNING]:
        if free <= 0:
            return
        if webhook in busy:
            continue
        if Delivery.objects.filter(pk=pk, enqueued_at=enqueued_at).update(enqueued_at=now):
            busy.add(webhook)
            free -= 1
            yield pk


def _is_unmarked(now: datetime) -> Q:
    return Q(enqueued_at=None) | Q(enqueued_at__gt=now) | Q(enqueued_at__lte=now - ENQUEUE_AGAIN)


def _is_running(now: datetime) -> Q:
    return Q(busy_until__gt=now, busy_until__lte=now + BUSY) | ~_is_unmarked(now)


def _next_try_at(now: datetime) -> datetime | None:
    coming = Delivery.objects.filter(state=DeliveryState.WAITING, next_try_at__gt=now)
    moment: datetime | None = coming.aggregate(at=Min("next_try_at"))["at"]
    return moment


def _enqueue_reading(cursor_id: UUID) -> None:
    from setup_wizard.notifications import tasks  # noqa: PLC0415 - Celery is configured when the first message is sent

    tasks.read_events.delay(str(cursor_id))


def _enqueue_delivery(delivery_id: UUID) -> None:
    from setup_wizard.notifications import tasks  # noqa: PLC0415 - as above

    tasks.deliver.delay(str(delivery_id))


def _unmark_cursor(cursor_id: UUID) -> None:
    EventCursor.objects.filter(pk=cursor_id).update(enqueued_at=None)


def _unmark_delivery(delivery_id: UUID) -> None:
    Delivery.objects.filter(pk=delivery_id).update(enqueued_at=None)
