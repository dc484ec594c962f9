"""The node's validation of the request, before the bootstrap."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts.observations import Invalid, NewEvent, NotValidated, Valid
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, end_silence, fail
from setup_wizard.attempts.states import Reason


def judge(snapshot: Snapshot, seen: Valid | Invalid | NotValidated, now: datetime) -> Decision:
    """Fail if the node finds the request invalid; otherwise send it, also when the node cannot validate it."""
    snapshot, silence_ended = end_silence(replace(snapshot, was_validated=True), now)
    match seen:
        case Invalid(status=status):
            code = status.error_code or ""
            named = replace(snapshot, error_code=code, error_details=status.error_details)
            decision = fail(
                named,
                Reason.VALIDATION,
                now,
                f"The node's validation rejected the request ({code}). The node was not changed",
                error_code=code,
            )
            return Decision(decision.snapshot, silence_ended + decision.events)
        case NotValidated(why=why):
            event = NewEvent(
                "not_validated",
                f"The node did not validate the request ({why}). Continuing without validation",
                {"why": why},
            )
        case Valid():
            event = NewEvent("validated", "The node validated the request and found no errors")
    return Decision(snapshot, (*silence_ended, event))
