"""Refused sign-ins: retry at the node, then ask the member, then the operator.

Refused sign-ins lock an account for everyone, so there are few tries. A node that has just joined may not know the
cluster's accounts yet: it gets two tries, 10 s apart. Then the approved member gets one, because it knows them.
"""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import MemberNamed, MemberRefused, MemberUnavailable, NewEvent, SignInHeld
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, poll_again, wait_for_operator
from setup_wizard.attempts.states import Reason, State

BUSY_SECONDS = 1.0


def refused(snapshot: Snapshot, now: datetime, *events: NewEvent) -> Decision:
    """Retry credentials that the node refused, then ask the member, then the operator."""
    tries = snapshot.refused_sign_ins + 1
    counted = replace(snapshot, refused_since=now, refused_sign_ins=tries)
    if tries < timing.SIGN_IN_TRIES:
        seconds = round(timing.SIGN_IN_RETRY_AFTER.total_seconds())
        event = NewEvent("sign_in_refused", f"The node refused the credentials. Retrying once in {seconds} s")
        return poll_again(counted, now, *events, event)
    if counted.may_ask_member:
        event = NewEvent("sign_in_refused", f"The node refused the credentials again. Asking {snapshot.member_address}")
        return poll_again(counted, now, *events, event, at_once=True)
    waiting = _wait(counted, now, "The node refused the credentials twice")
    return Decision(waiting.snapshot, (*events, *waiting.events))


def member(snapshot: Snapshot, seen: MemberNamed | MemberUnavailable | MemberRefused, now: datetime) -> Decision:
    """Wait for the operator, with the member's answer about credentials that the node refused."""
    who = snapshot.member_address
    match seen:
        case MemberNamed():
            return _wait(snapshot, now, f"{who} accepts the credentials, but the node refused them twice")
        case MemberRefused(status=status, error_text=error_text):
            snapshot = replace(snapshot, answer=error_text, answer_status=status)
            return _wait(snapshot, now, f"The node and {who} refused the credentials")
        case MemberUnavailable(detail=detail):
            return _wait(snapshot, now, f"The node refused the credentials twice, and {who} did not answer ({detail})")
    raise TypeError(f"no rule for {type(seen).__name__}")


def member_refused(snapshot: Snapshot, seen: MemberRefused, now: datetime) -> Decision:
    """Wait for the operator when the member refuses credentials before the node gets them."""
    counted = replace(
        snapshot,
        refused_since=now,
        refused_sign_ins=snapshot.refused_sign_ins + 1,
        answer=seen.error_text,
        answer_status=seen.status,
    )
    sent = "" if snapshot.watches_or_sent else ". Nothing was sent to the node"
    return _wait(counted, now, f"{snapshot.member_address} refused the credentials{sent}")


def held(snapshot: Snapshot, seen: SignInHeld, now: datetime) -> Decision:
    """Wait a moment for other running sign-ins, or wait for the operator."""
    if seen.is_busy:
        return Decision(snapshot, (), BUSY_SECONDS)
    return _wait(snapshot, now, seen.message)


def _wait(snapshot: Snapshot, now: datetime, message: str) -> Decision:
    # a node that completed and refuses our credentials may be in someone else's cluster
    may_be_another = snapshot.state is State.VERIFYING and snapshot.refused_since is not None
    return wait_for_operator(
        snapshot, Reason.FOREIGN_CLUSTER if may_be_another else Reason.CREDENTIALS_REFUSED, now, message
    )
