"""Ask the nodes of a plan who they are, side by side, in the workers."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from setup_wizard.clusters import timing
from setup_wizard.clusters.models import MAX_MESSAGE, NodeLook, Plan
from setup_wizard.nodes import probing
from setup_wizard.worker.due_work import DueWork, due_work


def register() -> None:
    """Let the supervisor enqueue the nodes that are to be asked."""
    due_work.add(DueWork(due, _enqueue, _unmark, next_at))


def ask(plan: Plan, addresses: list[str], *, by: User) -> None:
    """Ask these nodes again; what they answered before stays until they have answered."""
    now = timezone.now()
    for address in addresses:
        NodeLook.objects.update_or_create(
            plan=plan,
            address=address,
            defaults={"asked_at": now, "asked_by": by, "enqueued_at": None, "answered_at": None, "message": ""},
        )


def ask_new(plan: Plan, *, by: User) -> None:
    """Ask the nodes of the plan that were not asked yet, and forget those that are no longer in it."""
    wanted = [node.address for node in plan.content.nodes]
    plan.looks.exclude(address__in=wanted).delete()
    known = set(plan.looks.values_list("address", flat=True))
    ask(plan, [address for address in wanted if address not in known], by=by)


def answer(look_id: UUID) -> None:
    """Probe the node of one row, and write what it answered."""
    look = NodeLook.objects.select_related("asked_by").filter(pk=look_id, answered_at=None).first()
    if look is None:
        return
    found: dict[str, object]
    try:
        found = {"probe": probing.probe_node(look.address, by=look.asked_by, in_plan=True).as_json(), "message": ""}
    except probing.ProbeFailed as failure:
        found = {"probe": None, "message": failure.message[:MAX_MESSAGE]}
    NodeLook.objects.filter(pk=look.pk, asked_at=look.asked_at).update(answered_at=timezone.now(), **found)


def due(now: datetime) -> Iterator[UUID]:
    """Give each row that a worker should answer now, marked as enqueued."""
    waiting = Q(enqueued_at=None) | Q(enqueued_at__gt=now) | Q(enqueued_at__lte=now - timing.LEASE)
    rows = NodeLook.objects.filter(waiting, answered_at=None)
    for pk, enqueued_at in rows.order_by("asked_at").values_list("pk", "enqueued_at"):
        if NodeLook.objects.filter(pk=pk, enqueued_at=enqueued_at).update(enqueued_at=now):
            yield pk


def next_at(now: datetime) -> datetime | None:
    """Say when the next row is due: they are due at once."""
    return now if NodeLook.objects.filter(answered_at=None, enqueued_at=None).exists() else None


def _enqueue(look_id: UUID) -> None:
    from setup_wizard.clusters import tasks  # noqa: PLC0415 - Celery is configured when the first message is sent

    tasks.ask_node.delay(str(look_id))


def _unmark(look_id: UUID) -> None:
    NodeLook.objects.filter(pk=look_id).update(enqueued_at=None)
