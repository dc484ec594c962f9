"""A tick that broke on a fault of ours: tried again with growing pauses, and told; after a few it is given up."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import Broken, Note
from setup_wizard.attempts.reducer.standing import Outcome, Standing, fail, rest
from setup_wizard.attempts.states import Reason


def judge(standing: Standing, seen: Broken, now: datetime) -> Outcome:
    """Try again; end or rest an attempt that breaks every time, or it would hold node and cluster for ever."""
    broken = replace(standing, faults=standing.faults + 1)
    if broken.faults < timing.FAULTS_MOST:
        note = Note("broken", f"A step of this wizard broke ({seen.what}): trying again", {"what": seen.what})
        return Outcome(broken, (note,), min(timing.LONGEST_WAIT, 2.0**standing.faults))
    message = f"A step of this wizard broke {broken.faults} times in a row ({seen.what})"
    if standing.may_have_sent:
        return rest(broken, Reason.FAULT, now, message, what=seen.what)
    return fail(broken, Reason.FAULT, now, f"{message}; nothing was begun", what=seen.what)
