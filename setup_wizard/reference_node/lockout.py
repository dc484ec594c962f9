"""When a cluster locks an account: pure, from the refused sign-ins that its members have seen.

Each member keeps the moments of all refused sign-ins and tells the others of new ones. Two such sets are merged by
uniting them, so members agree, whatever they hear first.

Reference: the vendor's page on login lockout, and the fields `login_lockout_*` of `GET /v1/cluster/policy`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf, nextafter
from typing import Any

NEVER = -inf


class SignIn(Enum):
    """What becomes of a sign-in."""

    ACCEPTED = auto()
    REFUSED = auto()
    LOCKED = auto()


@dataclass(frozen=True)
class LockoutPolicy:
    """After how many refused sign-ins an account is locked, and for how long.

    `threshold` 0 never locks; `reset_after` is the seconds after which a refused sign-in no longer counts with the
    next; `duration` is seconds, and 0 until an administrator unlocks the account, which no reference node offers.
    """

    threshold: int = 5
    reset_after: int = 900
    duration: int = 1800

    def document(self) -> dict[str, int]:
        """The part of `GET /v1/cluster/policy` that says it."""
        return {
            "login_lockout_threshold": self.threshold,
            "login_lockout_counter_reset_after": self.reset_after,
            "login_lockout_duration": self.duration,
        }


@dataclass(frozen=True)
class Refusals:
    """The moments of refused sign-ins by user name, in seconds since 1970, sorted."""

    moments: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def added(self, username: str, now: float, policy: LockoutPolicy) -> "Refusals":
        """Count one more, and forget those that can no longer matter."""
        kept = tuple(moment for moment in self.moments.get(username, ()) if moment > now - _memory(policy))
        while now in kept:  # each is one of its own, also where the clock is not that fine
            now = nextafter(now, inf)
        return Refusals({**self.moments, username: tuple(sorted((*kept, now)))})

    def merged(self, other: "Refusals") -> "Refusals":
        """All that either knows."""
        names = {*self.moments, *other.moments}
        return Refusals(
            {name: tuple(sorted({*self.moments.get(name, ()), *other.moments.get(name, ())})) for name in names}
        )

    def is_locked(self, username: str, now: float, policy: LockoutPolicy) -> bool:
        """Whether the account is locked at this moment."""
        count, last, locked_until = 0, NEVER, NEVER
        for moment in self.moments.get(username, ()):
            if moment < locked_until:
                continue  # two members refused at once: the lock began with the other
            count = count + 1 if moment - last <= policy.reset_after else 1
            last = moment
            if count == policy.threshold:
                count, locked_until = 0, moment + policy.duration if policy.duration else inf
        return now < locked_until

    def document(self) -> dict[str, list[float]]:
        """The form in which it is kept, and told to other members."""
        return {name: list(moments) for name, moments in self.moments.items()}

    @classmethod
    def parse(cls, document: Any) -> "Refusals":
        """Read what `document` made; raises ValueError."""
        try:
            return cls({str(name): tuple(sorted(map(float, moments))) for name, moments in document.items()})
        except (AttributeError, TypeError):
            raise ValueError("no moments of refused sign-ins") from None


def _memory(policy: LockoutPolicy) -> float:
    """For how long a refused sign-in can matter."""
    return policy.threshold * policy.reset_after + policy.duration if policy.duration else inf
