"""A tick that broke on a fault of ours: tried again with growing pauses, and told; after a few it is given up."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import NewEvent, TickFailed
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, fail, wait_for_operator
from setup_wizard.attempts.states import Reason


def judge(snapshot: Snapshot, seen: TickFailed, now: datetime) -> Decision:
    """Try again; end or rest an attempt that breaks every time, or it would hold node and cluster for ever."""
    broken = replace(snapshot, failed_ticks=snapshot.failed_ticks + 1)
    if broken.failed_ticks < timing.MAX_FAILED_TICKS:
        event = NewEvent("broken", f"A step of this wizard broke ({seen.what}): trying again", {"what": seen.what})
        return Decision(broken, (event,), min(timing.LONGEST_RETRY_PAUSE, 2.0**snapshot.failed_ticks))
    message = f"A step of this wizard broke {broken.failed_ticks} times in a row ({seen.what})"
    if snapshot.may_have_sent:
        return wait_for_operator(broken, Reason.FAULT, now, message, what=seen.what)
    return fail(broken, Reason.FAULT, now, f"{message}; nothing was begun", what=seen.what)
