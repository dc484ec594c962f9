"""How often a password may be tried: 5 times for a name from a network, 20 times from a network, in 15 minutes.

A try is counted before the password is looked at, and taken back when it was right: requests that arrive at the same
moment, at whichever web process, get no more tries than others. No name is locked for every network.

Reference: docs/failure-modes.md, W3.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from setup_wizard.access import clients
from setup_wizard.access.models import PasswordTries
from setup_wizard.access.throttle import TooOften

SECONDS = 15 * 60
FOR_A_NAME = 5
FROM_A_NETWORK = 20


class TooManyTries(TooOften):
    """Too many passwords were wrong lately; `whose` says for what, `retry_after` is in seconds."""

    def __init__(self, most: int, retry_after: int, whose: str) -> None:
        super().__init__(most, retry_after)
        self.whose = whose

    @property
    def title(self) -> str:
        """The heading of the page."""
        return "Too many wrong passwords"

    @property
    def message(self) -> str:
        """What a person reads."""
        minutes = math.ceil(self.retry_after / 60)
        again = "1 minute" if minutes == 1 else f"{minutes} minutes"
        return (
            f"{self.most} passwords {self.whose} were wrong. Try again in {again}. "
            "No account is locked: signing in and changing a password still work from another address."
        )


@dataclass(slots=True)
class Try:
    """One counted try."""

    was_right: bool = False


@contextmanager
def counted(name: str, address: str) -> Iterator[Try]:
    """Count a try for as long as it is not known to be right; one that nothing came of is taken back too.

    Raises:
        TooManyTries: there were too many; nothing was counted.
    """
    network = clients.network_of(address)
    limits = {_key("network", network): FROM_A_NETWORK, _key("name", network, name): FOR_A_NAME}
    at = _reserve(limits)
    attempt = Try()
    try:
        yield attempt
    except TooOften:  # the password was not looked at: too much is being hashed at the moment
        _give_back(limits, at)
        raise
    if attempt.was_right:
        _give_back(limits, at)


def forget(now: datetime) -> int:
    """Delete the rows in which nothing counts any more; give how many."""
    with transaction.atomic():
        # a row that is in use is left alone: waiting for it could end in a deadlock
        over = PasswordTries.objects.filter(latest__lt=now.timestamp() - SECONDS).select_for_update(skip_locked=True)
        deleted, _ = PasswordTries.objects.filter(pk__in=[row.pk for row in over]).delete()
    return deleted


def _reserve(limits: dict[str, int]) -> float:
    """Count the try under every key, or under none."""
    with transaction.atomic(durable=True):
        PasswordTries.objects.bulk_create([PasswordTries(key=key) for key in sorted(limits)], ignore_conflicts=True)
        rows = _locked(limits)
        now = time.time()
        for row in rows:
            most = limits[row.key]
            row.at = sorted(at for at in row.at if abs(now - at) < SECONDS)  # one from the future: the clock was wrong
            if len(row.at) >= most:
                retry_after = math.ceil(row.at[-most] + SECONDS - now)
                whose = "for this user name from your address" if most == FOR_A_NAME else "from your address"
                raise TooManyTries(most, max(retry_after, 1), whose)
            row.at.append(now)
            row.latest = now
        for row in rows:
            row.save(update_fields=["at", "latest"])
    return now


def _give_back(limits: dict[str, int], at: float) -> None:
    with transaction.atomic():
        for row in _locked(limits):
            if at in row.at:
                row.at.remove(at)
                row.save(update_fields=["at"])


def _locked(limits: dict[str, int]) -> list[PasswordTries]:
    # always in the same order, so that no two requests wait for each other
    return list(PasswordTries.objects.filter(key__in=limits).order_by("key").select_for_update())


def _key(*words: str) -> str:
    """Name a counter without storing the address, or a name that may be a password in the wrong field."""
    value = "\0".join(words).encode(errors="replace")
    return salted_hmac("setup_wizard.access.tries", value, algorithm="sha256").hexdigest()
