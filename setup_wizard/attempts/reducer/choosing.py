"""What an operator's decision makes of an attempt. Pure; whether it is offered now, the attempt itself says.

Each takes the snapshot, the moment, the person's name and, where the attempt goes on, how long until its new deadline.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from setup_wizard.attempts.observations import NewEvent
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, end, until
from setup_wizard.attempts.states import Reason, State


def cancel(snapshot: Snapshot, now: datetime, who: str, *_: timedelta) -> Decision:
    """End an attempt whose POST has not left."""
    event = NewEvent("cancelled", f"Cancelled by {who}", {"reason": Reason.CANCELLED.value})
    return end(snapshot, State.CANCELLED, Reason.CANCELLED, now, event)


def stop_watching(snapshot: Snapshot, now: datetime, who: str, *_: timedelta) -> Decision:
    """End an attempt whose POST may have left: the node goes on by itself."""
    event = NewEvent(
        "cancelled", f"{who} stopped watching; the node goes on by itself", {"reason": Reason.STOPPED.value}
    )
    return end(snapshot, State.CANCELLED, Reason.STOPPED, now, event)


def keep_watching(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Look on, and send nothing; somebody else's bootstrap is watched as theirs."""
    foreign = snapshot.not_ours or snapshot.reason.is_not_ours
    watched = replace(_resumed(snapshot, now, span), not_ours=foreign)
    if foreign:
        watched = replace(watched, state=State.IN_PROGRESS)
    elif snapshot.reason is Reason.NOT_ACCEPTED:
        watched = _only_looking(_none_under_way(watched))
    elif watched.state is State.CHECKING and watched.submits:
        watched = _only_looking(watched)
    return Decision(watched, (NewEvent("keep_watching", f"{who} keeps watching"),))


def ours(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Follow what the node does as this attempt's own: still only the cluster's word makes it a success."""
    claimed = replace(
        _resumed(snapshot, now, span),
        state=State.IN_PROGRESS,
        not_ours=False,
        unconfirmed=True,
        conflict_at=None,
        refusal=0,
        began=False,
        accepted_start_time="",
        idle_reads=0,
    )
    return Decision(claimed, (NewEvent("ours", f"{who} says that this bootstrap is ours: following it"),))


def not_ours(snapshot: Snapshot, now: datetime, who: str, *_: timedelta) -> Decision:
    """End the attempt: what happened on the node was somebody else's."""
    event = NewEvent("failed", f"{who} says that this bootstrap is not ours", {"reason": Reason.NOT_OURS.value})
    return end(snapshot, State.FAILED, Reason.NOT_OURS, now, event)


def send_again(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Send the request once more, after a look: an earlier POST that shows after all is adopted instead."""
    again = replace(_none_under_way(_resumed(snapshot, now, span)), state=State.CHECKING, unchanged_reads=0)
    return Decision(again, (NewEvent("send_again", f"{who} sends the request again"),))


def approve_certificate(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Believe the certificate that the node was seen with."""
    fingerprint = str((snapshot.seen_certificate or {}).get("fingerprint", ""))
    trusted = replace(_resumed(snapshot, now, span), seen_certificate=None)
    if snapshot.may_have_sent:
        trusted = replace(trusted, new_fingerprint=fingerprint)
    else:
        trusted = replace(trusted, fingerprint=fingerprint)
    data = {"fingerprint": fingerprint, "old": snapshot.new_fingerprint or snapshot.fingerprint}
    return Decision(trusted, (NewEvent("certificate_approved", f"{who} approved the certificate", data),))


def give_credentials(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Go on with another sign-in, and send nothing: that takes an order of its own."""
    resumed = replace(
        _resumed(snapshot, now, span), refused_since=None, refused_sign_ins=0, name_proved=False, listed_as=""
    )
    if resumed.state is State.CHECKING and resumed.submits:
        resumed = _only_looking(resumed)
    if resumed.watches:
        resumed = replace(resumed, wants_sign_in=True)
    return Decision(resumed, (NewEvent("credentials", f"{who} entered the sign-in again"),))


def _only_looking(snapshot: Snapshot) -> Snapshot:
    """Find out what became of what was sent; without a quiet time of its own the same two looks would ask at once."""
    return replace(
        snapshot, state=State.UNKNOWN, settle_time=0.0, unchanged_reads=0, resubmits=max(1, snapshot.resubmits)
    )


def _none_under_way(snapshot: Snapshot) -> Snapshot:
    """Count what was sent as not accepted: whatever begins on the node from now on is somebody else's. D5."""
    return replace(snapshot, earlier_unknown=False, conflict_at=snapshot.submit_intent_at)


def _resumed(snapshot: Snapshot, now: datetime, span: timedelta) -> Snapshot:
    resumed = replace(
        snapshot,
        state=State(snapshot.resume_state),
        reason=Reason.NONE,
        resume_state="",
        waiting_since=None,
        silent_since=None,
        silent_phase="",
        silent_words="",
        silence_reported=False,
        failed_ticks=0,
        last_asked_at=now,
    )
    # in the queue the time does not run yet
    return until(resumed, now, span) if resumed.started_at else resumed
