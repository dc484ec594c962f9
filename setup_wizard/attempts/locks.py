"""Lock a cluster, so that only one bootstrap at a time changes it.

Keys are the cluster's name and the addresses of its members. So a create and a join of the same cluster, or two joins
through different members, share a key as soon as we know that they belong together.
"""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Q

from setup_wizard.attempts.models import LONGEST_KEY, Attempt, ClusterLock
from setup_wizard.attempts.observations import ClusterBusy
from setup_wizard.attempts.states import State


def keys(cluster_name: str, address: str, members: Iterable[str]) -> list[str]:
    """Give the keys of a cluster: its name when it is known, each known member, and the node itself.

    Args:
        cluster_name: the name, or "" on a join.
        address: the node's own `ip:port`; once it has joined, others may join through it.
        members: `ip:port` of each member that a join names.
    """
    found = {f"node:{address}", *(f"node:{member}" for member in members)}
    earlier = Attempt.objects.filter(state=State.SUCCEEDED, address__in=members).values_list("cluster_keys", flat=True)
    for inherited in earlier:
        found.update(inherited)
    return with_name(found, cluster_name)


def with_name(found: Iterable[str], cluster_name: str) -> list[str]:
    """Add the cluster's name to the keys, if it is known."""
    key = f"name:{cluster_name.lower().rstrip('.')}"[:LONGEST_KEY]  # in lower case a name may be longer
    return sorted({*found, key} if cluster_name else set(found))


def take(attempt: Attempt) -> ClusterBusy | None:
    """Take every key of the attempt's cluster and return None, or take none and return the attempt that holds one."""
    wanted: list[str] = attempt.cluster_keys
    try:
        with transaction.atomic():
            ClusterLock.objects.filter(attempt=attempt).delete()
            ClusterLock.objects.bulk_create(ClusterLock(key=key, attempt=attempt) for key in wanted)
    except IntegrityError:
        found = holder(attempt)
        if found is None:
            return ClusterBusy("another setup of this cluster")
        return ClusterBusy(found.address, needs_operator=found.status is State.NEEDS_OPERATOR)
    return None


def holder(attempt: Attempt) -> Attempt | None:
    """Give the attempt that holds a key of this one; None when all are free."""
    return Attempt.objects.filter(Q(locks__key__in=attempt.cluster_keys) & ~Q(pk=attempt.pk)).first()
