"""When a cluster locks an account: as read from the cluster, else the default."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from setup_wizard.attempts import timing
from setup_wizard.attempts.models import ClusterLockoutPolicy
from setup_wizard.attempts.sign_ins.accounts import Account
from setup_wizard.bootstrap.status import Lockout


@dataclass(frozen=True, slots=True)
class Budget:
    """How many of our sign-ins may count at a time (None: any number), and the window in which they add up."""

    most: int | None
    window: timedelta


def needs_policy(account: Account) -> bool:
    """Tell whether it is time to ask the cluster for its lockout policy."""
    fresh = timezone.now() - timing.POLICY_FRESH
    return not ClusterLockoutPolicy.objects.filter(cluster_hash__in=account.cluster_hashes, asked_at__gt=fresh).exists()


def save_policy(account: Account, lockout: Lockout | None) -> None:
    """Save the lockout policy that the cluster gave; None keeps the known one."""
    now = timezone.now()
    given: dict[str, object] = {"asked_at": now}
    if lockout:
        given |= {"threshold": lockout.threshold, "window_seconds": lockout.window, "read_at": now}
    ClusterLockoutPolicy.objects.update_or_create(cluster_hash=account.cluster_hashes[0], defaults=given)


def read_budget(account: Account) -> Budget:
    """Read how many sign-ins may count for the account."""
    return _budget(list(ClusterLockoutPolicy.objects.filter(cluster_hash__in=account.cluster_hashes)))


def lock_budget(account: Account) -> Budget:
    """Read it, and make other sign-ins to the cluster wait until the transaction ends."""
    current, rows = account.cluster_hashes[0], list[ClusterLockoutPolicy]()
    while current not in {row.cluster_hash for row in rows}:  # a purge may delete it in between
        ClusterLockoutPolicy.objects.get_or_create(cluster_hash=current)
        locked = ClusterLockoutPolicy.objects.select_for_update().order_by("cluster_hash")
        rows = list(locked.filter(cluster_hash__in=account.cluster_hashes))
    return _budget(rows)


def _budget(rows: list[ClusterLockoutPolicy]) -> Budget:
    known: list[tuple[datetime, ClusterLockoutPolicy]] = [
        (row.read_at, row) for row in rows if row.read_at is not None and row.threshold is not None
    ]
    if not known:
        return Budget(_most(timing.LOCKOUT_THRESHOLD), timing.LOCKOUT_WINDOW)
    read_at, row = max(known, key=lambda each: each[0])
    threshold = row.threshold or 0
    window = timedelta(seconds=row.window_seconds) if row.window_seconds else timing.LOCKOUT_WINDOW
    if timezone.now() - read_at > timing.POLICY_TRUSTED:
        threshold = min(threshold or timing.LOCKOUT_THRESHOLD, timing.LOCKOUT_THRESHOLD)
        window = max(window, timing.LOCKOUT_WINDOW)
    return Budget(_most(threshold) if threshold else None, min(window, timing.SIGN_INS_KEPT))


def _most(threshold: int) -> int:
    # with a threshold of two or less nothing could be sent without this minimum
    return max(1, threshold - timing.LOCKOUT_RESERVE)
