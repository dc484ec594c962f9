"""What a choice of the operator changes in an attempt. Pure; `choices.py` says which choices are offered.

Each function takes the snapshot, the time, the operator's name and `span`, the time until the new deadline.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from setup_wizard.attempts.observations import NewEvent
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, end, with_deadline
from setup_wizard.attempts.states import Reason, State


def cancel(snapshot: Snapshot, now: datetime, who: str, *_: timedelta) -> Decision:
    """End an attempt whose POST was not sent."""
    event = NewEvent("cancelled", f"Cancelled by {who}", {"reason": Reason.CANCELLED.value})
    return end(snapshot, State.CANCELLED, Reason.CANCELLED, now, event)


def stop_watching(snapshot: Snapshot, now: datetime, who: str, *_: timedelta) -> Decision:
    """End an attempt whose POST may have been sent: the node continues by itself."""
    event = NewEvent(
        "cancelled", f"{who} stopped watching. The node continues by itself", {"reason": Reason.STOPPED.value}
    )
    return end(snapshot, State.CANCELLED, Reason.STOPPED, now, event)


def keep_watching(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Keep polling without sending the request again; someone else's bootstrap stays theirs."""
    not_ours = snapshot.not_ours or snapshot.reason.may_be_foreign
    watched = replace(_resumed(snapshot, now, span), not_ours=not_ours)
    if not_ours:
        watched = replace(watched, state=State.IN_PROGRESS)
    elif snapshot.reason is Reason.NOT_ACCEPTED:
        watched = _only_polling(_none_pending(watched))
    elif watched.state is State.CHECKING and watched.submits:
        watched = _only_polling(watched)
    return Decision(watched, (NewEvent("keep_watching", f"{who} chose to keep watching"),))


def ours(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Watch the running bootstrap as this attempt's own; only the cluster can make it a success."""
    claimed = replace(
        _resumed(snapshot, now, span),
        state=State.IN_PROGRESS,
        not_ours=False,
        unconfirmed=True,
        not_accepted_at=None,
        refusal=0,
        began=False,
        accepted_start_time="",
        idle_reads=0,
    )
    return Decision(claimed, (NewEvent("ours", f"{who} confirmed that this bootstrap is ours. Watching it"),))


def not_ours(snapshot: Snapshot, now: datetime, who: str, *_: timedelta) -> Decision:
    """End the attempt: the bootstrap on the node was someone else's."""
    event = NewEvent("failed", f"{who} said that this bootstrap is not ours", {"reason": Reason.NOT_OURS.value})
    return end(snapshot, State.FAILED, Reason.NOT_OURS, now, event)


def send_again(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Send the request once more after a poll, unless an earlier POST turns out to be accepted."""
    again = replace(_none_pending(_resumed(snapshot, now, span)), state=State.CHECKING, unchanged_reads=0)
    return Decision(again, (NewEvent("send_again", f"{who} chose to send the request again"),))


def approve_certificate(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Trust the certificate that the node showed."""
    fingerprint = str((snapshot.seen_certificate or {}).get("fingerprint", ""))
    trusted = replace(_resumed(snapshot, now, span), seen_certificate=None)
    if snapshot.watches_or_sent:
        trusted = replace(trusted, new_fingerprint=fingerprint)
    else:
        trusted = replace(trusted, fingerprint=fingerprint)
    data = {"fingerprint": fingerprint, "old": snapshot.new_fingerprint or snapshot.fingerprint}
    return Decision(trusted, (NewEvent("certificate_approved", f"{who} approved the certificate", data),))


def give_credentials(snapshot: Snapshot, now: datetime, who: str, span: timedelta) -> Decision:
    """Resume with other credentials; the request is not sent again."""
    resumed = replace(
        _resumed(snapshot, now, span), refused_since=None, refused_sign_ins=0, name_proved=False, listed_as=""
    )
    if resumed.state is State.CHECKING and resumed.submits:
        resumed = _only_polling(resumed)
    if resumed.watches:
        resumed = replace(resumed, wants_sign_in=True)
    return Decision(resumed, (NewEvent("credentials", f"{who} entered the credentials again"),))


def _only_polling(snapshot: Snapshot) -> Snapshot:
    """Find out whether the POST was accepted; the settle time restarts, or two polls would end it at once."""
    return replace(
        snapshot, state=State.UNKNOWN, settled_for=0.0, unchanged_reads=0, resubmits=max(1, snapshot.resubmits)
    )


def _none_pending(snapshot: Snapshot) -> Snapshot:
    """Count the POST as not accepted, from when it was sent: a bootstrap that starts later is someone else's."""
    return replace(snapshot, earlier_unknown=False, not_accepted_at=snapshot.submit_intent_at)


def _resumed(snapshot: Snapshot, now: datetime, span: timedelta) -> Snapshot:
    resumed = replace(
        snapshot,
        state=State(snapshot.resume_state),
        reason=Reason.NONE,
        resume_state="",
        waiting_since=None,
        silent_since=None,
        silent_phase="",
        silent_error_text="",
        silence_reported=False,
        failed_ticks=0,
        last_asked_at=now,
    )
    # in the queue there is no deadline yet
    return with_deadline(resumed, now, span) if resumed.started_at else resumed
