"""Named points at which a test may kill, freeze or disturb the process that runs past them.

They are off, and cost one look at an empty dict, unless `arm` was called; `attempts/apps.py` calls it with
`SETUP_WIZARD_FAILPOINTS` in the demo and with DEBUG alone, and a system check refuses the variable everywhere else. It
is a list such as `intent.committed=kill, send.post=pause 3:2`: a point, what to do there, and at which pass of this
process, the first unless it says so. Each is used up by the pass that it names.
"""

import logging
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock, get_ident
from typing import Final

logger = logging.getLogger(__name__)


class Point(StrEnum):
    """Every commit, connection, sending, receiving and ring on an attempt's way, in the order of their passing."""

    START_COMMIT = "start.commit"
    START_COMMITTED = "start.committed"
    ENQUEUE_SEND = "enqueue.send"
    ENQUEUE_SENT = "enqueue.sent"
    CLAIM_COMMIT = "claim.commit"
    CLAIM_COMMITTED = "claim.committed"
    LOCKS_COMMITTED = "locks.committed"
    CONNECT = "connect"
    CONNECTED = "connected"
    SECURED = "secured"
    SEND_GET = "send.get"
    SENT_GET = "sent.get"
    RECEIVED_GET = "received.get"
    INTENT_COMMIT = "intent.commit"
    INTENT_COMMITTED = "intent.committed"
    SEND_POST = "send.post"
    SENT_POST = "sent.post"
    RECEIVED_POST = "received.post"
    RECORD_COMMIT = "record.commit"
    RECORD_COMMITTED = "record.committed"
    NOTIFY_SEND = "notify.send"
    CHOICE_COMMIT = "choice.commit"
    CHOICE_COMMITTED = "choice.committed"
    SWEEP_COMMIT = "sweep.commit"
    SWEEP_COMMITTED = "sweep.committed"


class FailpointReached(RuntimeError):
    """What the action `raise` raises."""


class InvalidFailpoint(ValueError):
    """A word of the list is no failpoint; the message says what one looks like."""


_WORD: Final = re.compile(
    r"(?P<point>[a-z.]+)=(?P<action>kill|stop|raise|pause (?P<seconds>\d+(\.\d+)?))(:(?P<nth>\d+))?"
)


@dataclass(slots=True)
class Failpoint:
    """What is to happen at one point, at the `nth` pass; `seconds` are those of a pause."""

    point: Point
    action: str
    nth: int = 1
    seconds: float = 0.0
    passes: int = field(default=0, init=False)

    @classmethod
    def parse(cls, word: str) -> "Failpoint":
        """Read `point=action[:nth]`.

        Raises:
            Unreadable: it is not of this form, or there is no such point.
        """
        found = _WORD.fullmatch(word.strip())
        if found is None or found["point"] not in set(Point):
            raise InvalidFailpoint(f"{word!r} is no failpoint: use POINT=kill, stop, raise or pause SECONDS, and :NTH.")
        action = found["action"].split()[0]
        return cls(Point(found["point"]), action, int(found["nth"] or 1), float(found["seconds"] or 0))


_armed: dict[Point, list[Failpoint]] = {}
_counting: Final = Lock()


def arm(words: Sequence[str]) -> None:
    """Put these failpoints, and no others, in force.

    Raises:
        Unreadable: one of them is none.
    """
    parsed = [Failpoint.parse(word) for word in words]
    _armed.clear()
    for each in parsed:
        _armed.setdefault(each.point, []).append(each)


def reach(point: Point) -> None:
    """Say that the process passes this point now."""
    if _armed:
        _pass(point)


def _pass(point: Point) -> None:
    with _counting:
        for each in _armed.get(point, []):
            each.passes += 1
        due = [each for each in _armed.get(point, []) if each.passes == each.nth]
    for each in due:
        logger.warning("failpoint %s: %s", point.value, each.action)
        _act(each)


def _act(failpoint: Failpoint) -> None:
    # a signal to the whole process may be taken by another thread, and this one would run on for a moment
    match failpoint.action:
        case "kill":
            signal.pthread_kill(get_ident(), signal.SIGKILL)
        case "stop":
            signal.pthread_kill(get_ident(), signal.SIGSTOP)
        case "pause":
            time.sleep(failpoint.seconds)
        case _:
            raise FailpointReached(failpoint.point.value)
