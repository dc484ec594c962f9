"""One try of a delivery: claim it, send, record the result, plan the next try."""

import logging
import time
from datetime import datetime, timedelta
from random import uniform
from secrets import token_urlsafe
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.engine import clock
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes.limits import DNS_SECONDS
from setup_wizard.notifications import email, secrets, sending
from setup_wizard.notifications.formats import write_body
from setup_wizard.notifications.models import MAX_ERROR, Delivery, DeliveryState, Format, Notice, NoticeKind, Webhook
from setup_wizard.notifications.signing import signed_headers

logger = logging.getLogger(__name__)

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Between the tries of a delivery, as the Standard Webhooks specification recommends: about 28 hours in all."""
JITTER: Final = 0.1
BUSY: Final = timedelta(seconds=2 * (sending.TRY_SECONDS + DNS_SECONDS))
"""How long a try may hold its row; after that its worker counts as dead."""
GONE_MESSAGE: Final = "The receiver answered 410 (gone), which means that it wants no more messages."


def make(notice: Notice, receiver: Webhook | User) -> Delivery:
    """Make the delivery of a notice to a webhook, or to a person by e-mail; the caller saves it."""
    delivery = Delivery(notice=notice, message_id=f"msg_{token_urlsafe(24)}")
    if isinstance(receiver, Webhook):
        delivery.webhook = receiver
    else:
        delivery.person = receiver
    return delivery


def deliver(delivery_id: UUID, *, even_if_off: bool = False) -> Delivery | None:
    """Try a delivery if it is due, its webhook is enabled and no other worker has it; None otherwise."""
    delivery = _claim(delivery_id, even_if_off=even_if_off)
    if delivery is None:
        return None
    began = time.monotonic()
    try:
        outcome = _try(delivery)
    except Exception as problem:
        # only the name: the text of an exception could contain the URL
        _record(delivery, began, {"error": f"An error of this program ({type(problem).__name__})."})
        raise
    _record(delivery, began, outcome)
    return delivery


def is_due(now: datetime) -> Q:
    """Match deliveries whose next try is due and which no worker has."""
    free = Q(busy_until=None) | Q(busy_until__lte=now) | Q(busy_until__gt=now + BUSY)
    return free & Q(state=DeliveryState.WAITING, next_try_at__lte=now)


def give_up(webhook: Webhook, why: str) -> int:
    """Stop trying what waits for a webhook; return how many deliveries that were."""
    waiting = Delivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING)
    return waiting.update(state=DeliveryState.GIVEN_UP, next_try_at=None, error=why[:MAX_ERROR])


def send_again(delivery_id: UUID) -> bool:
    """Let a delivery that was given up, or delivered, be tried once more at once; False while it is waiting."""
    over = Delivery.objects.filter(pk=delivery_id).exclude(state=DeliveryState.WAITING)
    return bool(over.update(state=DeliveryState.WAITING, next_try_at=clock.now(), busy_until=None, enqueued_at=None))


def _claim(delivery_id: UUID, *, even_if_off: bool) -> Delivery | None:
    """Begin a try, by compare-and-set on the number of tries; it is committed before anything is sent."""
    now = clock.now()
    found = Delivery.objects.select_related("notice", "webhook", "person").filter(is_due(now), pk=delivery_id).first()
    if found is None or not (found.webhook is None or found.webhook.is_enabled or even_if_off):
        return None
    unchanged = Delivery.objects.filter(pk=found.pk, tries=found.tries, state=DeliveryState.WAITING)
    if not unchanged.update(tries=F("tries") + 1, busy_until=now + BUSY, tried_at=now, enqueued_at=None):
        return None
    found.tries += 1
    found.tried_at = now
    reach(Point.NOTICE_CLAIMED)
    return found


@sensitive_variables()
def _try(delivery: Delivery) -> dict[str, Any]:
    """Send, and return the columns that say how it went."""
    webhook = delivery.webhook
    if webhook is None:
        return _try_email(delivery)
    try:
        known = secrets.open_for(webhook)
    except (vault.SecretUnavailable, vault.KeyUnusable):
        return {"error": "No configured key decrypts the URL of this webhook. Enter it again."}
    body = write_body(Format(webhook.format), delivery.notice)
    headers = signed_headers(known.key, delivery.message_id, clock.now(), body)
    try:
        answer = sending.send(known, headers, body)
    except sending.SendingFailed as failure:
        return {"error": failure.message}
    reach(Point.NOTICE_SENT)
    told: dict[str, Any] = {"status_code": answer.status_code, "answer": answer.text}
    if answer.is_accepted:
        return told | {"state": DeliveryState.DELIVERED}
    if answer.is_gone:
        return told | {"state": DeliveryState.GIVEN_UP, "error": GONE_MESSAGE}
    if 300 <= answer.status_code < 400:
        return told | {"error": f"The receiver redirects ({answer.status_code}), which is not followed."}
    return told | {"error": f"The receiver answered {answer.status_code}."}


def _try_email(delivery: Delivery) -> dict[str, Any]:
    to = delivery.person.email if delivery.person else ""
    try:
        email.send(delivery.notice, to=to, message_id=delivery.message_id)
    except sending.SendingFailed as failure:
        return {"error": failure.message}
    return {"state": DeliveryState.DELIVERED}


def _record(delivery: Delivery, began: float, outcome: dict[str, Any]) -> None:
    """Write the result, unless another try has begun meanwhile."""
    now = clock.now()
    columns: dict[str, Any] = {
        "state": DeliveryState.WAITING,
        "status_code": None,
        "error": "",
        "answer": "",
        "duration": time.monotonic() - began,
        "busy_until": None,
        "enqueued_at": None,
        "next_try_at": None,
    } | outcome
    if columns["state"] == DeliveryState.WAITING:
        columns |= _plan(delivery, now)
    columns["error"] = columns["error"][:MAX_ERROR]
    with transaction.atomic():
        held = Delivery.objects.filter(pk=delivery.pk, tries=delivery.tries, state=DeliveryState.WAITING)
        if held.update(**columns) and delivery.webhook and outcome.get("error") == GONE_MESSAGE:
            _turn_off(delivery.webhook)
    for name, value in columns.items():
        setattr(delivery, name, value)
    logger.info(
        "a notice was delivered" if delivery.status is DeliveryState.DELIVERED else "a notice was not delivered",
        extra={
            "fields": {
                "kind": "delivery",
                "webhook": str(delivery.webhook_id or "by e-mail"),
                "delivery": str(delivery.pk),
                "tries": delivery.tries,
                "status_code": delivery.status_code,
                "reason": delivery.error,
            }
        },
    )


def _plan(delivery: Delivery, now: datetime) -> dict[str, Any]:
    is_last = delivery.tries > len(WAITS) or delivery.notice.kind == NoticeKind.TEST
    if is_last:
        return {"state": DeliveryState.GIVEN_UP}
    wait = WAITS[delivery.tries - 1] * uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing
    return {"next_try_at": now + wait}


def _turn_off(webhook: Webhook) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(is_enabled=False, stopped_because=GONE_MESSAGE)
    give_up(webhook, GONE_MESSAGE)
