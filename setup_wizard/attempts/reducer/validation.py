"""The node's own check of the request, before anything is begun. Rows 15 and 16 of docs/failure-modes.md."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts.observations import Invalid, NewEvent, NotValidated, Valid
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, end_silence, fail
from setup_wizard.attempts.states import Reason


def judge(snapshot: Snapshot, seen: Valid | Invalid | NotValidated, now: datetime) -> Decision:
    """End an attempt whose request the node would not take; send it otherwise, also when the node cannot tell."""
    snapshot, heard = end_silence(replace(snapshot, was_validated=True), now)
    match seen:
        case Invalid(status=status):
            code = status.error_code or ""
            named = replace(snapshot, error_code=code, error_details=status.error_details)
            decision = fail(
                named,
                Reason.VALIDATION,
                now,
                f"The node checked the request and would not take it ({code}); nothing was begun",
                error_code=code,
            )
            return Decision(decision.snapshot, heard + decision.events)
        case NotValidated(why=why):
            event = NewEvent(
                "not_checked", f"The node did not check the request ({why}): going on without", {"why": why}
            )
        case Valid():
            event = NewEvent("checked", "The node checked the request and finds nothing wrong with it")
    return Decision(snapshot, (*heard, event))
