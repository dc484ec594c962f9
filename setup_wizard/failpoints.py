"""Named points at which a test can kill, pause or disturb the process that passes them.

Without a call of `arm` they are off and cost one look at an empty dict. `SETUP_WIZARD_FAILPOINTS` sets them, in the
demo and with DEBUG only; a system check refuses the variable elsewhere. It is a list such as `intent.committed=kill,
send.post=pause 3:2`: a point, an action, and the pass of this process at which it acts, by default the first.
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
    """Every commit, connection, send, receive and notification of an attempt, in order; then of runs and of notices."""

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
    RUN_START_COMMIT = "run.start.commit"
    RUN_START_COMMITTED = "run.start.committed"
    RUN_STEP_COMMIT = "run.step.commit"
    RUN_STEP_COMMITTED = "run.step.committed"
    RUN_BEGUN = "run.begun"
    RUN_COMMIT = "run.commit"
    RUN_CHOICE_COMMIT = "run.choice.commit"
    RUN_CHOICE_COMMITTED = "run.choice.committed"
    NOTICE_COMMIT = "notice.commit"
    NOTICE_CLAIMED = "notice.claimed"
    NOTICE_SENT = "notice.sent"


class FailpointReached(RuntimeError):
    """Raised by the action `raise`."""


class InvalidFailpoint(ValueError):
    """A word of the list is not a failpoint; the message shows the format."""


_WORD: Final = re.compile(
    r"(?P<point>[a-z.]+)=(?P<action>kill|stop|raise|pause (?P<seconds>\d+(\.\d+)?))(:(?P<nth>\d+))?"
)


@dataclass(slots=True)
class Failpoint:
    """What to do at the `nth` pass of a point; `seconds` is the length of a pause."""

    point: Point
    action: str
    nth: int = 1
    seconds: float = 0.0
    passes: int = field(default=0, init=False)

    @classmethod
    def parse(cls, word: str) -> "Failpoint":
        """Read `point=action[:nth]`.

        Raises:
            InvalidFailpoint: it has another format, or names an unknown point.
        """
        found = _WORD.fullmatch(word.strip())
        if found is None or found["point"] not in set(Point):
            raise InvalidFailpoint(f"{word!r} is not POINT=kill, stop, raise or pause SECONDS, with :NTH at the end.")
        action = found["action"].split()[0]
        return cls(Point(found["point"]), action, int(found["nth"] or 1), float(found["seconds"] or 0))


_armed: dict[Point, list[Failpoint]] = {}
_counting: Final = Lock()


def arm(words: Sequence[str]) -> None:
    """Replace the active failpoints with these.

    Raises:
        InvalidFailpoint: one of them is not a failpoint.
    """
    parsed = [Failpoint.parse(word) for word in words]
    _armed.clear()
    for each in parsed:
        _armed.setdefault(each.point, []).append(each)


def reach(point: Point) -> None:
    """Pass this point, and do what is due there."""
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
    # a signal to the process may reach another thread first, while this one runs on
    match failpoint.action:
        case "kill":
            signal.pthread_kill(get_ident(), signal.SIGKILL)
        case "stop":
            signal.pthread_kill(get_ident(), signal.SIGSTOP)
        case "pause":
            time.sleep(failpoint.seconds)
        case _:
            raise FailpointReached(failpoint.point.value)
