"""The clusters that attempts have touched, and what is known of their nodes.

A cluster is its name and its certificate. The supervisor adds succeeded attempts to the inventory, some at a time,
and a page adds the newest ones before it shows the inventory; adding one twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone

from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.attempts.explanations import RACK_AWARENESS
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.status import ACTIVE, NodeProblem
from setup_wizard.clusters.models import Cluster, ClusterNode, InventoryCursor, RunStep
from setup_wizard.live import part_of
from setup_wizard.live.part_of import Whole
from setup_wizard.nodes.cluster_reading import ClusterReading
from setup_wizard.worker.periodic import periodic

AT_ONCE: Final = 1000
"""Attempts that the supervisor adds in one turn: it has other work, so it adds many over several turns."""
NEWEST: Final = 20
_OVERLAP = timedelta(minutes=5)  # an attempt is written a moment after its end
_EVERY = timedelta(seconds=30)
_BROUGHT_IN: Final = (
    "address",
    "addr",
    "external_addr",
    "rack_id",
    "version",
    "memory",
    "status",
    "seen_at",
    "attempt",
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def register() -> None:
    """Let the supervisor add new attempts, and pages of attempts link to their cluster and run."""
    part_of.register(whole_of)
    periodic.add(_add_new_attempts, every=_EVERY)


def _add_new_attempts(now: datetime) -> int:
    add_attempts(now)
    return 0  # a periodic job returns how many rows it deleted


def add_attempts(now: datetime | None = None) -> int:
    """Add up to `AT_ONCE` attempts that have succeeded since the last turn, the oldest first; return how many."""
    moment = now or timezone.now()
    cursor, _ = InventoryCursor.objects.get_or_create(pk=1)
    ended = _succeeded().order_by("ended_at", "pk")
    if cursor.read_until:
        ended = ended.filter(ended_at__gte=cursor.read_until - _OVERLAP)
    found = list(ended[: AT_ONCE + 1])
    count = _add_unknown(found[:AT_ONCE])
    if len(found) > AT_ONCE:  # the overlap again, so that the next turn begins here
        moment = (found[AT_ONCE].ended_at or moment) + _OVERLAP
    InventoryCursor.objects.filter(pk=1).update(read_until=moment)
    return count


def add_newest_attempts() -> None:
    """Add the nodes of the attempts that have just succeeded, before a page shows them."""
    _add_unknown(_succeeded().order_by("-ended_at", "-pk")[:NEWEST])


def visible_clusters(user: User) -> QuerySet[Cluster]:
    """Return each cluster that an attempt which `user` may see has set up or extended, with all of its nodes."""
    nodes = Prefetch("nodes", ClusterNode.objects.select_related("attempt__requested_by"))
    found = Cluster.objects.prefetch_related(nodes)
    if visibility.sees_all(user):
        return found
    return found.filter(Exists(ClusterNode.objects.filter(cluster=OuterRef("pk"), attempt__requested_by=user)))


def whole_of(attempt: Attempt) -> Whole:
    """Return the run and the cluster that an attempt is a part of."""
    run = RunStep.objects.filter(attempt_id=attempt.pk).values_list("run", flat=True).first()
    run_url = reverse("clusters:run", args=[run]) if run else ""
    if attempt.status is not State.SUCCEEDED:
        return Whole(run_url)
    add_newest_attempts()
    cluster = Cluster.objects.filter(nodes__attempt=attempt).first()
    if cluster is None:
        return Whole(run_url)
    nodes = cluster.nodes.exclude(status="gone").count()
    return Whole(run_url, reverse("inventory:detail", args=[cluster.pk]), nodes, bool(cluster.rack_aware))


def note_rack_awareness(attempts: Iterable[Attempt]) -> None:
    """Write that the cluster of these attempts has reported that it is rack-aware."""
    add_newest_attempts()
    Cluster.objects.filter(nodes__attempt__in=attempts).update(rack_aware=True)


@transaction.atomic
def save_reading(
    cluster: Cluster, reading: ClusterReading, problems: tuple[NodeProblem, ...] | None, *, by: User
) -> None:
    """Write what the cluster said about its nodes; nodes that it no longer lists are gone."""
    now = timezone.now()
    if reading.nodes is not None:
        for listed in reading.nodes:
            ClusterNode.objects.update_or_create(
                cluster=cluster,
                uid=listed.uid,
                defaults={
                    "addr": listed.addr,
                    "external_addr": list(listed.addresses[1:]),
                    "rack_id": listed.rack_id,
                    "version": listed.software_version,
                    "memory": listed.total_memory,
                    "status": listed.status,
                    "seen_at": now,
                },
            )
        cluster.nodes.exclude(uid__in=[listed.uid for listed in reading.nodes]).update(status="gone", seen_at=now)
    cluster.rack_aware = reading.cluster.rack_aware
    cluster.problems = [[each.uid, each.text] for each in problems or ()]
    cluster.checked_at, cluster.checked_by = now, by
    cluster.save(update_fields=["rack_aware", "problems", "checked_at", "checked_by"])


def member_of(cluster: Cluster) -> Attempt | None:
    """Return the first attempt of a node through which the cluster can be asked."""
    attempts = attempts_of_members().filter(pk__in=cluster.nodes.exclude(status="gone").values("attempt"))
    return attempts.order_by("created_at").first()


def _succeeded() -> QuerySet[Attempt]:
    return Attempt.objects.filter(state=State.SUCCEEDED).exclude(cluster_name="")


@transaction.atomic
def _add_unknown(attempts: Iterable[Attempt]) -> int:
    """Add the nodes that these attempts brought in, but none that a later attempt brought in again."""
    read = {attempt.pk: attempt for attempt in attempts}
    known = set(ClusterNode.objects.filter(attempt__in=read).values_list("attempt_id", flat=True))
    # of two attempts with one node, the later counts
    new = sorted((attempt for attempt in read.values() if attempt.pk not in known), key=_ended_at)
    if not new:
        return 0
    clusters = _note_changes(new)
    latest = {(clusters[_cluster_key(attempt)].pk, attempt.node_uid or attempt.address): attempt for attempt in new}
    rows = ClusterNode.objects.filter(cluster__in={pk for pk, _ in latest}).select_related("attempt")
    existing = {(row.cluster_id, row.uid): row for row in rows}
    nodes = [
        _node(*key, attempt, existing.get(key))
        for key, attempt in sorted(latest.items(), key=lambda item: item[0])
        if not _is_newer(existing.get(key), attempt)
    ]
    ClusterNode.objects.bulk_create(
        nodes, update_conflicts=True, unique_fields=["cluster", "uid"], update_fields=_BROUGHT_IN
    )
    return len(nodes)


def _note_changes(attempts: Sequence[Attempt]) -> dict[tuple[str, str], Cluster]:
    """Find or add the clusters of these attempts, by name and certificate, and note when each changed."""
    keys = {_cluster_key(attempt) for attempt in attempts}
    added = [Cluster(name=name, fingerprint=fingerprint, changed_at=_NEVER) for name, fingerprint in sorted(keys)]
    Cluster.objects.bulk_create(added, ignore_conflicts=True)
    rows = Cluster.objects.filter(name__in={name for name, _ in keys})
    found = {key: row for row in rows if (key := (row.name, row.fingerprint)) in keys}
    read_back = Event.objects.filter(attempt__in=attempts, kind=RACK_AWARENESS, data__rack_aware=True)
    rack_aware = set(read_back.values_list("attempt_id", flat=True))
    for attempt in attempts:
        cluster = found[_cluster_key(attempt)]
        cluster.changed_at = max(cluster.changed_at, _ended_at(attempt))
        if attempt.pk in rack_aware:
            cluster.rack_aware = True
        if attempt.replaces is not None and cluster.checked_at and cluster.checked_at < _ended_at(attempt):
            # the check was about the node that this one has replaced since
            cluster.problems = [each for each in cluster.problems if each[0] != str(attempt.replaces)]
    fields = ["changed_at", "rack_aware", "problems"]
    Cluster.objects.bulk_update(sorted(found.values(), key=lambda row: row.pk), fields)
    return found


def _node(cluster: UUID, uid: str, attempt: Attempt, existing: ClusterNode | None) -> ClusterNode:
    identity = (attempt.request.get("node") or {}).get("identity") or {}
    is_listed = existing is not None and existing.seen_at > _ended_at(attempt)  # the cluster was asked since
    return ClusterNode(
        cluster_id=cluster,
        uid=uid,
        address=attempt.address,
        addr=identity.get("addr") or attempt.address.rpartition(":")[0].strip("[]"),
        external_addr=identity.get("external_addr") or [],
        rack_id=identity.get("rack_id") or "",
        version=str(attempt.facts.get("software_version") or "")[:64],
        memory=attempt.facts.get("total_memory"),
        status=existing.status if existing and is_listed else attempt.listed_as or ACTIVE,
        seen_at=existing.seen_at if existing and is_listed else _ended_at(attempt),
        attempt=attempt,
    )


def _is_newer(node: ClusterNode | None, attempt: Attempt) -> bool:
    return bool(node and node.attempt and _ended_at(node.attempt) >= _ended_at(attempt))


def _cluster_key(attempt: Attempt) -> tuple[str, str]:
    return attempt.cluster_name.lower().rstrip("."), attempt.current_fingerprint


def _ended_at(attempt: Attempt) -> datetime:
    return attempt.ended_at or timezone.now()
