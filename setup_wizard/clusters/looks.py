"""Ask the nodes of a plan who they are, side by side, in the workers."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from setup_wizard.clusters import timing
from setup_wizard.clusters.models import MAX_MESSAGE, NodeLook, Plan
from setup_wizard.nodes import probing
from setup_wizard.nodes.limits import PROBE_SECONDS
from setup_wizard.nodes.network_calls import run_side_by_side
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.transport import Deadline
from setup_wizard.worker.due_work import DueWork, due_work


def register() -> None:
    """Let the supervisor enqueue the nodes that are to be asked."""
    due_work.add(DueWork(due, _enqueue, _unmark, next_at))


def ask(plan: Plan, addresses: list[str], *, by: User) -> None:
    """Ask these nodes again, as one batch; what they answered before stays until they have answered."""
    asked = {"batch": uuid4(), "asked_at": timezone.now(), "asked_by": by}
    fresh = {"enqueued_at": None, "answered_at": None, "message": ""}
    rows = [NodeLook(plan=plan, address=address, **asked, **fresh) for address in dict.fromkeys(addresses)]
    NodeLook.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["plan", "address"], update_fields=[*asked, *fresh]
    )


def ask_new(plan: Plan, *, by: User) -> None:
    """Ask the nodes of the plan that were not asked yet, and forget those that are no longer in it."""
    wanted = [node.address for node in plan.content.nodes]
    plan.looks.exclude(address__in=wanted).delete()
    known = set(plan.looks.values_list("address", flat=True))
    ask(plan, [address for address in wanted if address not in known], by=by)


def answer(batch: UUID) -> None:
    """Probe the nodes of a batch side by side, and write what each answered as the answers come in.

    The database is used by this thread alone: a commit for each node would take longer than to ask it.
    """
    looks = _unanswered(batch).select_related("asked_by")
    probes = {
        look: probing.probe_in_steps(
            look.address, by=look.asked_by, deadline=Deadline.after(PROBE_SECONDS), in_plan=True
        )
        for look in looks
    }
    bugs: list[Exception] = []
    for answers in run_side_by_side(probes, together=transaction.atomic):
        bugs += _save(answers)
    if bugs:  # the others are answered; these are asked again when their mark is too old
        raise bugs[0]


def _save(answers: Mapping[NodeLook, Probe | Exception]) -> Iterator[Exception]:
    """Write these answers in one transaction; give back what is not one."""
    with transaction.atomic():
        for look, answer in answers.items():
            found: dict[str, object]
            match answer:
                case Probe():
                    found = {"probe": answer.as_json(), "message": ""}
                case probing.ProbeFailed():
                    found = {"probe": None, "message": answer.message[:MAX_MESSAGE]}
                case _:
                    yield answer
                    continue
            NodeLook.objects.filter(pk=look.pk, batch=look.batch).update(answered_at=timezone.now(), **found)


def due(now: datetime) -> Iterator[UUID]:
    """Give each batch that a worker should take now, its nodes marked as enqueued."""
    waiting = Q(enqueued_at=None) | Q(enqueued_at__gt=now) | Q(enqueued_at__lte=now - timing.LEASE)
    rows = NodeLook.objects.filter(waiting, answered_at=None).values("batch", "enqueued_at")
    batches = rows.annotate(first=Min("asked_at")).order_by("first")
    for batch, enqueued_at in batches.values_list("batch", "enqueued_at"):
        if _unanswered(batch).filter(enqueued_at=enqueued_at).update(enqueued_at=now):
            yield batch


def next_at(now: datetime) -> datetime | None:
    """Say when the next batch is due: it is due at once."""
    return now if NodeLook.objects.filter(answered_at=None, enqueued_at=None).exists() else None


def _enqueue(batch: UUID) -> None:
    from setup_wizard.clusters import tasks  # noqa: PLC0415 - Celery is configured when the first message is sent

    tasks.ask_nodes.delay(str(batch))


def _unmark(batch: UUID) -> None:
    _unanswered(batch).update(enqueued_at=None)


def _unanswered(batch: UUID) -> QuerySet[NodeLook]:
    return NodeLook.objects.filter(batch=batch, answered_at=None)
