"""The events of runs that are worth telling: the end, and a pause that needs an operator."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import Max
from django.urls import reverse

from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.engine.choices import RunChoice
from setup_wizard.clusters.models import RunEvent
from setup_wizard.notifications import sources
from setup_wizard.notifications.models import NoticeKind
from setup_wizard.notifications.sources import EventSource, NewNotice

NAME: Final = "run"
PAUSED: Final = "paused"
ENDED: Final = {"succeeded": RunState.SUCCEEDED, RunChoice.STOP.value: RunState.STOPPED}
"""Kinds of events that end a run, and the state after them."""
SELF_EXPLANATORY: Final = {PauseReason.REQUESTED, PauseReason.ATTEMPT_NEEDS_OPERATOR}
"""An operator asked for the pause, or the attempt says itself that it needs one."""


def register() -> None:
    """Let the outbox read the events of runs."""
    sources.register(EventSource(NAME, _newest, _newest_before, _find, _read))


def _newest() -> int:
    return RunEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _newest_before(position: int, moment: datetime) -> int | None:
    found: int | None = RunEvent.objects.filter(pk__gt=position, at__lt=moment).aggregate(newest=Max("pk"))["newest"]
    return found


def _find(position: int, limit: int) -> list[int]:
    events = RunEvent.objects.filter(pk__gt=position, kind__in=[*ENDED, PAUSED]).order_by("pk")
    rows = events.values_list("pk", "kind", "data")[:limit]
    return [pk for pk, kind, data in rows if kind != PAUSED or _reason(data) not in SELF_EXPLANATORY]


def _read(event_ids: Collection[int]) -> list[NewNotice]:
    events = RunEvent.objects.filter(pk__in=event_ids).select_related("run__plan", "run__started_by").order_by("pk")
    return [_notice(event) for event in events]


def _notice(event: RunEvent) -> NewNotice:
    plan, state = event.run.plan, ENDED.get(event.kind, RunState.PAUSED)
    kind = NoticeKind.RUN_ENDED if state.is_final else NoticeKind.NEEDS_OPERATOR
    ending = {RunState.SUCCEEDED: "succeeded", RunState.STOPPED: "was stopped"}.get(state, "needs an operator")
    starter = event.run.started_by.get_username()
    nodes = str(len(plan.content.nodes))
    document: dict[str, object] = {
        "id": str(plan.pk),
        "path": reverse("clusters:run", args=[plan.pk]),
        "title": f"Setup of {plan.target} {ending}",
        "message": event.message,
        "state": state.value,
        "reason": _reason(event.data).value,
        "cluster": plan.content.cluster.name,
        "started_by": starter,
        "facts": [["Cluster", plan.target], ["Nodes", nodes], ["Started by", starter]],
    }
    return NewNotice(event.pk, kind, event.at, event.run.started_by_id, document)


def _reason(data: dict[str, object]) -> PauseReason:
    return PauseReason(str(data.get("reason", "")))
