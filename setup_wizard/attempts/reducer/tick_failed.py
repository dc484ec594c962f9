"""A tick that failed by a bug of ours: retried with growing pauses, then given up."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import NewEvent, TickFailed
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, fail, wait_for_operator
from setup_wizard.attempts.states import Reason


def judge(snapshot: Snapshot, seen: TickFailed, now: datetime) -> Decision:
    """Retry; after too many failures end the attempt or wait for the operator, so that node and cluster become free."""
    failed = replace(snapshot, failed_ticks=snapshot.failed_ticks + 1)
    if failed.failed_ticks < timing.MAX_FAILED_TICKS:
        event = NewEvent(
            "step_failed", f"An internal task of this setup failed ({seen.what}). Retrying", {"what": seen.what}
        )
        return Decision(failed, (event,), min(timing.LONGEST_RETRY_PAUSE, 2.0**snapshot.failed_ticks))
    message = f"An internal task of this setup failed {failed.failed_ticks} times in a row ({seen.what})"
    if snapshot.watches_or_sent:
        return wait_for_operator(failed, Reason.FAULT, now, message, what=seen.what)
    return fail(failed, Reason.FAULT, now, f"{message}. The node was not changed", what=seen.what)
