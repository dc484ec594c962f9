"""The events of attempts that are worth telling: the end, and waiting for an operator."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import Max
from django.urls import reverse

from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.notifications.models import NoticeKind
from setup_wizard.notifications.sources import EventSource, NewNotice
from setup_wizard.notifications.sources import register as register_source

logger = logging.getLogger(__name__)

NAME: Final = "attempt"
ENDED: Final = {State.SUCCEEDED.value, State.FAILED.value, State.CANCELLED.value}
NOTIFIED: Final = ENDED | {State.NEEDS_OPERATOR.value}
"""Kinds of events, which are named as the states that they lead to."""


def register() -> None:
    """Let the outbox read the events of attempts."""
    register_source(EventSource(NAME, _newest, _newest_before, _find, _read))


def _newest() -> int:
    return Event.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _newest_before(position: int, moment: datetime) -> int | None:
    found: int | None = Event.objects.filter(pk__gt=position, at__lt=moment).aggregate(newest=Max("pk"))["newest"]
    return found


def _find(position: int, limit: int) -> list[int]:
    events = Event.objects.filter(pk__gt=position, kind__in=NOTIFIED).order_by("pk")
    return list(events.values_list("pk", flat=True)[:limit])


def _read(event_ids: Collection[int]) -> list[NewNotice]:
    events = Event.objects.filter(pk__in=event_ids).select_related("attempt__requested_by").order_by("pk")
    return [_notice(event) for event in events]


def _notice(event: Event) -> NewNotice:
    attempt, state = event.attempt, State(event.kind)
    reason = Reason(str(event.data.get("reason", "")))
    kind = NoticeKind.ENDED if state.is_final else NoticeKind.NEEDS_OPERATOR
    document: dict[str, object] = {
        "id": str(attempt.pk),
        "path": reverse("live:detail", args=[attempt.pk]),
        "title": _title(attempt, state),
        "message": event.message,
        "state": state.value,
        "reason": reason.value,
        "explanation": _explanation(attempt, reason),
        "address": attempt.address,
        "action": attempt.action,
        "cluster": attempt.cluster_name,
        "error_code": attempt.error_code,
        "started_by": attempt.requested_by.get_username(),
        "facts": _facts(attempt),
    }
    return NewNotice(event.pk, kind, event.at, attempt.requested_by_id, document)


def _title(attempt: Attempt, state: State) -> str:
    ending = {
        State.SUCCEEDED: "succeeded",
        State.FAILED: "failed",
        State.CANCELLED: "was cancelled",
    }.get(state, "needs an operator")
    return f"Setup of {attempt.address} {ending}"


def _explanation(attempt: Attempt, reason: Reason) -> str:
    """Name what is wrong; empty when nothing is."""
    if reason is Reason.NONE:
        return ""
    explanation = None
    if attempt.why is reason:  # else it has moved on since the event
        try:
            explanation = explain(attempt)
        except Exception:
            logger.exception("an attempt cannot be explained")  # the notice matters more than its explanation
    return explanation.title if explanation else reason.label


def _facts(attempt: Attempt) -> list[list[str]]:
    facts = [
        ["Action", Action(attempt.action).label],
        ["Cluster", attempt.target],
        ["Started by", attempt.requested_by.get_username()],
        ["Error code", attempt.error_code],
    ]
    return [fact for fact in facts if fact[1]]
