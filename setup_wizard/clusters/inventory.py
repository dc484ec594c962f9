"""The clusters that attempts have touched, and what is known of their nodes.

A cluster is its name and its certificate. Succeeded attempts are read into the inventory by the supervisor, and again
whenever a page shows it; reading one twice changes nothing.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import cluster_members
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.status import ACTIVE, NodeProblem
from setup_wizard.clusters.models import Cluster, ClusterNode, InventoryCursor
from setup_wizard.nodes.cluster_reading import ClusterReading
from setup_wizard.worker.periodic import periodic

_OVERLAP = timedelta(minutes=5)  # an attempt is written a moment after its end
_EVERY = timedelta(seconds=30)


def register() -> None:
    """Let the supervisor read new attempts."""
    periodic.add(lambda now: read_attempts(now) * 0, every=_EVERY)


def read_attempts(now: datetime | None = None) -> int:
    """Read the attempts that have succeeded since the last time; return how many nodes are new."""
    moment = now or timezone.now()
    cursor, _ = InventoryCursor.objects.get_or_create(pk=1)
    ended = Attempt.objects.filter(state=State.SUCCEEDED).exclude(cluster_name="").order_by("ended_at")
    if cursor.read_until:
        ended = ended.filter(ended_at__gt=cursor.read_until - _OVERLAP)
    known = set(ClusterNode.objects.filter(attempt__in=ended).values_list("attempt_id", flat=True))
    new = 0
    for attempt in ended:
        if attempt.pk not in known:
            _add(attempt)
            new += 1
    InventoryCursor.objects.filter(pk=1).update(read_until=moment)
    return new


def visible_clusters(user: User) -> QuerySet[Cluster]:
    """Return the clusters, with all of their nodes, of which a node came in by an attempt that `user` may see."""
    seen = visibility.visible_to(user).filter(state=State.SUCCEEDED)
    nodes = Prefetch("nodes", ClusterNode.objects.select_related("attempt__requested_by"))
    return Cluster.objects.filter(nodes__attempt__in=seen).distinct().prefetch_related(nodes)


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
    attempts = cluster_members().filter(pk__in=cluster.nodes.exclude(status="gone").values("attempt"))
    return attempts.order_by("created_at").first()


@transaction.atomic
def _add(attempt: Attempt) -> None:
    cluster, _ = Cluster.objects.get_or_create(
        name=attempt.cluster_name.lower().rstrip("."), fingerprint=attempt.current_fingerprint
    )
    identity = (attempt.request.get("node") or {}).get("identity") or {}
    ClusterNode.objects.update_or_create(
        cluster=cluster,
        uid=attempt.node_uid or attempt.address,
        defaults={
            "address": attempt.address,
            "addr": identity.get("addr") or attempt.address.rpartition(":")[0].strip("[]"),
            "external_addr": identity.get("external_addr") or [],
            "rack_id": identity.get("rack_id") or "",
            "version": str(attempt.facts.get("software_version") or "")[:64],
            "memory": attempt.facts.get("total_memory"),
            "status": attempt.listed_as or ACTIVE,
            "seen_at": attempt.ended_at or timezone.now(),
            "attempt": attempt,
        },
    )
    if (attempt.request.get("policy") or {}).get("rack_aware"):
        cluster.rack_aware = True
    cluster.changed_at = attempt.ended_at or timezone.now()
    cluster.save(update_fields=["rack_aware", "changed_at"])
