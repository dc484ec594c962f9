"""Limits on wrong passwords: 5 for a user name from a network, 20 from a network, in 15 minutes.

A password counts as wrong before it is checked, and is subtracted when it was right: requests that arrive at the same
moment, at any web process, do not get more tries. No user name is ever locked for every network.
"""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from setup_wizard.access import client_address
from setup_wizard.access.models import PasswordFailures
from setup_wizard.access.throttle import TooManyRequests

WINDOW_SECONDS = 15 * 60
MAX_PER_NAME = 5
MAX_PER_NETWORK = 20


class TooManyWrongPasswords(TooManyRequests):
    """Too many passwords were wrong lately; `scope` says for what, `retry_after` is in seconds."""

    def __init__(self, limit: int, retry_after: int, scope: str) -> None:
        super().__init__(limit, retry_after)
        self.scope = scope

    @property
    def title(self) -> str:
        return "Too many wrong passwords"

    @property
    def message(self) -> str:
        minutes = math.ceil(self.retry_after / 60)
        again = "1 minute" if minutes == 1 else f"{minutes} minutes"
        return (
            f"{self.limit} passwords {self.scope} were wrong. Try again in {again}. "
            "No account is locked: you can still sign in or change a password from another address."
        )


@dataclass(slots=True)
class PasswordCheck:
    """One check of a password."""

    was_right: bool = False


@dataclass(frozen=True, slots=True)
class _Limit:
    count: int
    scope: str


@contextmanager
def limited(name: str, address: str) -> Iterator[PasswordCheck]:
    """Count a wrong password, unless the check turns out right or does not take place.

    Raises:
        TooManyWrongPasswords: the limit is reached; nothing was counted.
    """
    network = client_address.network_of(address)
    limits = {
        _key("network", network): _Limit(MAX_PER_NETWORK, "from your address"),
        _key("name", network, name): _Limit(MAX_PER_NAME, "for this user name from your address"),
    }
    at = _count(limits)
    check = PasswordCheck()
    try:
        yield check
    except TooManyRequests:  # the password was not checked: too many others are being hashed
        _subtract(limits, at)
        raise
    if check.was_right:
        _subtract(limits, at)


def delete_old(now: datetime) -> int:
    """Delete the rows in which nothing counts any more; return how many."""
    with transaction.atomic():
        old = PasswordFailures.objects.filter(latest__lt=now.timestamp() - WINDOW_SECONDS)
        free = old.select_for_update(skip_locked=True)  # waiting for a row that is in use could end in a deadlock
        deleted, _ = PasswordFailures.objects.filter(pk__in=[row.pk for row in free]).delete()
    return deleted


def _count(limits: dict[str, _Limit]) -> float:
    """Count once for each key, or nothing if one is at its limit; return the time that was stored."""
    with transaction.atomic(durable=True):
        PasswordFailures.objects.bulk_create(
            [PasswordFailures(key=key) for key in sorted(limits)], ignore_conflicts=True
        )
        rows = _locked(limits)
        now = time.time()
        for row in rows:
            limit = limits[row.key]
            # also drops times more than 15 minutes ahead, from before the clock was set back
            row.times = sorted(at for at in row.times if abs(now - at) < WINDOW_SECONDS)
            if len(row.times) >= limit.count:
                retry_after = math.ceil(row.times[-limit.count] + WINDOW_SECONDS - now)
                raise TooManyWrongPasswords(limit.count, max(retry_after, 1), limit.scope)
            row.times.append(now)
            row.latest = now
        for row in rows:
            row.save(update_fields=["times", "latest"])
    return now


def _subtract(keys: Iterable[str], at: float) -> None:
    with transaction.atomic():
        for row in _locked(keys):
            if at in row.times:
                row.times.remove(at)
                row.save(update_fields=["times"])


def _locked(keys: Iterable[str]) -> list[PasswordFailures]:
    # always in the same order, so that no two requests wait for each other
    return list(PasswordFailures.objects.filter(key__in=keys).order_by("key").select_for_update())


def _key(*parts: str) -> str:
    """Name a counter without storing the address, or a name that may be a password in the wrong field."""
    value = "\0".join(parts).encode(errors="replace")
    return salted_hmac("setup_wizard.access.password_limits", value, algorithm="sha256").hexdigest()
