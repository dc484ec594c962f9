"""Read new events, and make a notice and its deliveries of each that matters.

The outbox is a cursor over tables that exist anyway: what happens in a setup writes its event and knows nothing of
notices. Numbers of events are given before their transactions commit, so a lower number can appear later. Events are
therefore read again until they are older than any transaction can be; a notice is made once for each event.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from setup_wizard.attempts import pubsub
from setup_wizard.attempts.engine import clock
from setup_wizard.failpoints import Point, reach
from setup_wizard.notifications import deliveries, email, people, sending
from setup_wizard.notifications.models import Delivery, EventCursor, Notice, NoticeKind, Webhook
from setup_wizard.notifications.sources import EventSource, NewNotice, sources

OVERLAP: Final = timedelta(minutes=5)  # a transaction lasts seconds: databases.py limits statements and idle time
READ_AGAIN: Final = timedelta(seconds=15)
AT_ONCE: Final = 200
MAX_FOUND: Final = 10_000
KEPT: Final = timedelta(days=30)


def begin() -> None:
    """Read every source from now on, if it is not read yet."""
    for source in sources().values():
        newest = source.newest()
        EventCursor.objects.get_or_create(source=source.name, defaults={"position": newest, "newest": newest})


def has_news(cursor: EventCursor, now: datetime) -> bool:
    """Tell whether there are new events, or it is time to look for late ones."""
    source = sources().get(cursor.source)
    if source is None:
        return False
    is_settled = cursor.position >= cursor.newest
    return source.newest() > cursor.newest or (not is_settled and now - cursor.read_at >= READ_AGAIN)


def read(cursor_id: UUID) -> int:
    """Read the new events of one source; return how many notices were made."""
    cursor = EventCursor.objects.filter(pk=cursor_id).first()
    source = sources().get(cursor.source) if cursor else None
    if cursor is None or source is None:
        return 0
    now, newest = clock.now(), source.newest()
    settled = source.newest_before(cursor.position, now - OVERLAP) or cursor.position
    missing = _missing(source, source.find(cursor.position, MAX_FOUND), cursor.position)
    if len(missing) > AT_ONCE:  # the rest is read next time
        missing = missing[:AT_ONCE]
        newest, settled = missing[-1], min(settled, missing[-1])
    new = source.read(missing) if missing else []
    with transaction.atomic():
        locked = EventCursor.objects.select_for_update().get(pk=cursor_id)
        made = _make_notices(source, new, cursor.position)
        if locked.position == cursor.position:  # else another worker has read on
            locked.position, locked.newest = settled, max(newest, settled)
        locked.read_at, locked.enqueued_at = now, None
        locked.save()
        reach(Point.NOTICE_COMMIT)
    return made


def delete_old(now: datetime) -> int:
    """Delete notices and their deliveries after 30 days; return how many rows."""
    return Notice.objects.filter(created_at__lt=now - KEPT).delete()[0]


def make_test(receiver: Webhook | User) -> Delivery:
    """Make a test message for one receiver, which `deliveries.deliver` sends."""
    works = f"The webhook {receiver.name} works." if isinstance(receiver, Webhook) else "E-mail works."
    with transaction.atomic():
        notice = Notice.objects.create(
            source="test",
            kind=NoticeKind.TEST,
            at=timezone.now(),
            document={"title": "Test message", "message": works, "path": "/"},
        )
        delivery = deliveries.make(notice, receiver)
        delivery.save()
    return delivery


def _missing(source: EventSource, found: list[int], position: int) -> list[int]:
    """Return those after `position` without a notice, ascending."""
    known = set(Notice.objects.filter(source=source.name, event_id__gt=position).values_list("event_id", flat=True))
    return [each for each in found if each not in known]


def _make_notices(source: EventSource, new: list[NewNotice], position: int) -> int:
    """Make each notice, unless another worker has made it since, with a delivery for each receiver that wants it."""
    missing = set(_missing(source, [each.event_id for each in new], position))
    webhooks = list(Webhook.objects.filter(is_enabled=True)) if sending.is_on() else []
    for each in new:
        if each.event_id not in missing:
            continue
        notice = Notice.objects.create(
            source=source.name,
            event_id=each.event_id,
            kind=each.kind,
            at=each.at,
            starter_id=each.starter_id,
            document=dict(each.document),
        )
        wanting: list[Webhook | User] = [
            webhook for webhook in webhooks if webhook.wants(each.kind) and webhook.told_since <= each.at
        ]
        if email.is_on():
            wanting += people.wanting_email(notice)
        Delivery.objects.bulk_create(deliveries.make(notice, receiver) for receiver in wanting)
        pubsub.notify(notice.pk)
    return len(missing)
