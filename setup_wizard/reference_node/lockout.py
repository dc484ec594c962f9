"""When a cluster locks an account: pure, from the refused sign-ins that its members have seen.

Each member keeps the times of all refused sign-ins and reports new ones to the others. Sets of times are merged by
their union, so all members come to the same result.

Reference: the vendor's page on login lockout, and the fields `login_lockout_*` of `GET /v1/cluster/policy`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from math import inf, nextafter


class SignIn(Enum):
    """The result of a sign-in."""

    ACCEPTED = auto()
    VIEWER = auto()  # accepted, without the administrator's role
    REFUSED = auto()
    LOCKED = auto()


@dataclass(frozen=True)
class LockoutPolicy:
    """After how many refused sign-ins an account is locked, and for how long.

    `threshold` 0 never locks; `reset_after` is the number of seconds after which a refused sign-in does not count with
    the next; `duration` is in seconds, 0 until an administrator unlocks the account, which no reference node offers.
    """

    threshold: int = 5
    reset_after: int = 900
    duration: int = 1800

    def document(self) -> dict[str, int]:
        """Its part of `GET /v1/cluster/policy`."""
        return {
            "login_lockout_threshold": self.threshold,
            "login_lockout_counter_reset_after": self.reset_after,
            "login_lockout_duration": self.duration,
        }


VENDOR_POLICY = LockoutPolicy()


@dataclass(frozen=True)
class Refusals:
    """The times of refused sign-ins by user name, in seconds since 1970, sorted."""

    times: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def added(self, username: str, now: float, policy: LockoutPolicy) -> "Refusals":
        """Count one more, and forget those that no longer matter."""
        memory = policy.threshold * policy.reset_after + policy.duration if policy.duration else inf
        kept = tuple(time for time in self.times.get(username, ()) if time > now - memory)
        while now in kept:  # two in the same tick of the clock count twice
            now = nextafter(now, inf)
        return Refusals({**self.times, username: tuple(sorted((*kept, now)))})

    def merged(self, other: "Refusals") -> "Refusals":
        names = {*self.times, *other.times}
        return Refusals(
            {name: tuple(sorted({*self.times.get(name, ()), *other.times.get(name, ())})) for name in names}
        )

    def is_locked(self, username: str, now: float, policy: LockoutPolicy) -> bool:
        """Whether the account is locked now."""
        count, last, locked_until = 0, -inf, -inf
        for time in self.times.get(username, ()):
            if time < locked_until:
                continue  # two members refused at once: the lock began with the other one
            count = count + 1 if time - last <= policy.reset_after else 1
            last = time
            if count == policy.threshold:
                count, locked_until = 0, time + policy.duration if policy.duration else inf
        return now < locked_until
