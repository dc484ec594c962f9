"""What an operator's decision makes of an attempt. Pure; whether it is offered now, the attempt itself says.

Each takes the standing, the moment, the person's name and, where the attempt goes on, how long until its new deadline.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from setup_wizard.attempts.observations import Note
from setup_wizard.attempts.reducer.standing import Outcome, Standing, end, until
from setup_wizard.attempts.states import Reason, State


def cancel(standing: Standing, now: datetime, who: str) -> Outcome:
    """End an attempt whose POST has not left."""
    note = Note("cancelled", f"Cancelled by {who}", {"reason": Reason.CANCELLED.value})
    return end(standing, State.CANCELLED, Reason.CANCELLED, now, note)


def stop_watching(standing: Standing, now: datetime, who: str) -> Outcome:
    """End an attempt whose POST may have left: the node goes on by itself."""
    note = Note("cancelled", f"{who} stopped watching; the node goes on by itself", {"reason": Reason.STOPPED.value})
    return end(standing, State.CANCELLED, Reason.STOPPED, now, note)


def keep_watching(standing: Standing, now: datetime, who: str, span: timedelta) -> Outcome:
    """Look on, and send nothing; somebody else's bootstrap is watched as theirs."""
    foreign = standing.foreign or standing.reason.is_foreign
    watched = replace(_resumed(standing, now, span), foreign=foreign)
    if foreign:
        watched = replace(watched, state=State.IN_PROGRESS)
    elif standing.reason is Reason.NOT_ACCEPTED:
        watched = _only_looking(_none_under_way(watched))
    elif watched.state is State.CHECKING and watched.submits:
        watched = _only_looking(watched)
    return Outcome(watched, (Note("keep_watching", f"{who} keeps watching"),))


def ours(standing: Standing, now: datetime, who: str, span: timedelta) -> Outcome:
    """Follow what the node does as this attempt's own: still only the cluster's word makes it a success."""
    claimed = replace(
        _resumed(standing, now, span),
        state=State.IN_PROGRESS,
        foreign=False,
        provisional=True,
        conflict_at=None,
        refusal=0,
        began=False,
        accepted_start_time="",
        idle_reads=0,
    )
    return Outcome(claimed, (Note("ours", f"{who} says that this bootstrap is ours: following it"),))


def not_ours(standing: Standing, now: datetime, who: str) -> Outcome:
    """End the attempt: what happened on the node was somebody else's."""
    note = Note("failed", f"{who} says that this bootstrap is not ours", {"reason": Reason.NOT_OURS.value})
    return end(standing, State.FAILED, Reason.NOT_OURS, now, note)


def send_again(standing: Standing, now: datetime, who: str, span: timedelta) -> Outcome:
    """Send the request once more, after a look: an earlier POST that shows after all is adopted instead."""
    again = replace(_none_under_way(_resumed(standing, now, span)), state=State.CHECKING, unchanged_reads=0)
    return Outcome(again, (Note("send_again", f"{who} sends the request again"),))


def approve_certificate(standing: Standing, now: datetime, who: str, span: timedelta) -> Outcome:
    """Believe the certificate that the node was seen with."""
    fingerprint = str((standing.seen_certificate or {}).get("fingerprint", ""))
    trusted = replace(_resumed(standing, now, span), seen_certificate=None)
    if standing.may_have_sent:
        trusted = replace(trusted, new_fingerprint=fingerprint)
    else:
        trusted = replace(trusted, fingerprint=fingerprint)
    data = {"fingerprint": fingerprint, "old": standing.new_fingerprint or standing.fingerprint}
    return Outcome(trusted, (Note("certificate_approved", f"{who} approved the certificate", data),))


def give_credentials(standing: Standing, now: datetime, who: str, span: timedelta) -> Outcome:
    """Go on with another sign-in, and send nothing: that takes an order of its own."""
    resumed = replace(
        _resumed(standing, now, span), refused_since=None, refused_sign_ins=0, name_proved=False, listed_as=""
    )
    if resumed.state is State.CHECKING and resumed.submits:
        resumed = _only_looking(resumed)
    if resumed.watches:
        resumed = replace(resumed, signs_in=True)
    return Outcome(resumed, (Note("credentials", f"{who} entered the sign-in again"),))


def _only_looking(standing: Standing) -> Standing:
    """Find out what became of what was sent; without a quiet time of its own the same two looks would ask at once."""
    return replace(standing, state=State.UNKNOWN, quiet=0.0, unchanged_reads=0, resubmits=max(1, standing.resubmits))


def _none_under_way(standing: Standing) -> Standing:
    """Count what was sent as not accepted: whatever begins on the node from now on is somebody else's. D5."""
    return replace(standing, earlier_unknown=False, conflict_at=standing.submit_intent_at)


def _resumed(standing: Standing, now: datetime, span: timedelta) -> Standing:
    resumed = replace(
        standing,
        state=State(standing.rested_from),
        reason=Reason.NONE,
        rested_from="",
        rested_at=None,
        silent_since=None,
        silent_phase="",
        silent_words="",
        silence_told=False,
        faults=0,
        last_asked_at=now,
    )
    # in the queue the time does not run yet
    return until(resumed, now, span) if resumed.started_at else resumed
