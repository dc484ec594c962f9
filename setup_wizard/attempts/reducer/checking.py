"""The node's own check of the request, before anything is begun. Rows 15 and 16 of docs/failure-modes.md."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts.observations import Note, Sound, Unchecked, Unsound
from setup_wizard.attempts.reducer.standing import Outcome, Standing, fail, heard_again
from setup_wizard.attempts.states import Reason


def judge(standing: Standing, seen: Sound | Unsound | Unchecked, now: datetime) -> Outcome:
    """End an attempt whose request the node would not take; send it otherwise, also when the node cannot tell."""
    standing, heard = heard_again(replace(standing, was_checked=True), now)
    match seen:
        case Unsound(status=status):
            code = status.error_code or ""
            named = replace(standing, error_code=code, error_details=status.error_details)
            outcome = fail(
                named,
                Reason.VALIDATION,
                now,
                f"The node checked the request and would not take it ({code}); nothing was begun",
                error_code=code,
            )
            return Outcome(outcome.standing, heard + outcome.notes)
        case Unchecked(why=why):
            note = Note("not_checked", f"The node did not check the request ({why}): going on without", {"why": why})
        case Sound():
            note = Note("checked", "The node checked the request and finds nothing wrong with it")
    return Outcome(standing, (*heard, note))
