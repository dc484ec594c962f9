"""Decide what an observation means for an attempt. Pure: no clock, no database, no network.

`decide(snapshot, seen, now, passed)` takes the columns of an attempt and the result of one exchange, and returns the
new columns, the events to write, and how long to wait. Reference: docs/failure-modes.md has the cases.

    snapshot.py         what a decision is based on, and how it changes an attempt
    exchanges.py        which exchange comes next, and the intent before the POST
    validation.py       the node's validation of the request
    sending.py          from the queue to the node's answer to our POST
    unknown_outcome.py  whose bootstrap is running, when the answer does not tell
    watching.py         from there to the node's own result
    verifying.py        what the cluster says, the only proof of success
    refusals.py         refused sign-ins, of which there may only be a few
    tick_failed.py      a tick that failed by a bug of ours
    transitions.py      what a choice of the operator changes
"""

from dataclasses import replace
from datetime import datetime, timedelta

from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterBusy,
    ClusterFree,
    ClusterShown,
    Conflict,
    CredentialsMissing,
    Forbidden,
    Invalid,
    MemberNamed,
    MemberRefused,
    MemberUnavailable,
    Misbehaved,
    NodeListed,
    NotSent,
    NotValidated,
    Observation,
    Redirected,
    Rejected,
    Seen,
    SignInHeld,
    SignInWanted,
    Silent,
    TickFailed,
    UnapprovedCertificate,
    Unsupported,
    Valid,
)
from setup_wizard.attempts.reducer import refusals, sending, tick_failed, validation, verifying, watching
from setup_wizard.attempts.reducer.exchanges import (
    Exchange,
    intend,
    may_sign_in,
    may_submit,
    next_exchange,
    was_sign_in_refused,
)
from setup_wizard.attempts.reducer.snapshot import (
    ACCESS_DENIED,
    Decision,
    Retention,
    Snapshot,
    add_elapsed_time,
    member_pins,
    pins,
    retention,
    wait_for_operator,
    with_deadline,
)
from setup_wizard.attempts.states import Reason, State

__all__ = [
    "ACCESS_DENIED",
    "Decision",
    "Exchange",
    "Retention",
    "Snapshot",
    "decide",
    "expire",
    "intend",
    "may_sign_in",
    "may_submit",
    "member_pins",
    "next_exchange",
    "pins",
    "retention",
    "was_sign_in_refused",
    "with_deadline",
]

_ANSWERS_TO_THE_POST = (Accepted, AnswerLost, NotSent, Conflict, Rejected, Unsupported)


def decide(snapshot: Snapshot, seen: Observation, now: datetime, passed: timedelta | None = None) -> Decision:
    """Say what the observation `seen` means for an attempt.

    `passed` is the time since the last poll by the monotonic clock, where that is known.
    """
    if not isinstance(seen, ClusterFree | ClusterBusy):
        snapshot = add_elapsed_time(snapshot, now, passed)
    if isinstance(seen, TickFailed):
        decision = tick_failed.judge(snapshot, seen, now)
    elif isinstance(seen, SignInHeld):
        decision = refusals.held(replace(snapshot, failed_ticks=0), seen, now)
    else:
        decision = _handle(replace(snapshot, failed_ticks=0), seen, now)
    if decision.snapshot.state.is_moving and (overdue := expire(decision.snapshot, now)):
        return Decision(overdue.snapshot, (*decision.events, *overdue.events), overdue.wait)
    return decision


def expire(snapshot: Snapshot, now: datetime) -> Decision | None:
    """Handle an attempt whose deadline has passed; None while it has not.

    The deadline passes by the clock, or by the seconds counted poll by poll when the clock was set back. Without a POST
    the attempt fails; if a POST may have been sent, it waits for the operator.
    """
    if snapshot.state is State.NEEDS_OPERATOR:
        return sending.abandon(snapshot, now)
    if not snapshot.state.is_moving or snapshot.deadline_at is None:
        return None
    if now < snapshot.deadline_at and (snapshot.time_left is None or snapshot.time_left > 0):
        return None
    if not snapshot.watches:
        return sending.unreachable(snapshot, now)
    if snapshot.silent_since:
        return wait_for_operator(
            snapshot, Reason.LOST_CONTACT, now, "The node did not finish in time and cannot be reached"
        )
    return wait_for_operator(snapshot, Reason.OVERDUE, now, "The node did not finish in time")


def _handle(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    match seen:
        case ClusterFree() | ClusterBusy():
            return sending.queue(snapshot, seen, now)
        case Valid() | Invalid() | NotValidated():
            return validation.judge(snapshot, seen, now)
        case CredentialsMissing():
            return sending.credentials_missing(snapshot, now)
        case UnapprovedCertificate():
            return watching.unapproved_certificate(snapshot, seen, now)
        case MemberNamed() | MemberUnavailable() | MemberRefused():
            return verifying.member(snapshot, seen, now)
        case ClusterShown() | NodeListed():
            return verifying.cluster(snapshot, seen, now)
        case _ if isinstance(seen, _ANSWERS_TO_THE_POST):
            return sending.answer_to_post(snapshot, seen, now)
        case Forbidden() | Silent() | Misbehaved() | Redirected() | SignInWanted() | Seen():
            if snapshot.watches:
                return watching.after_post(snapshot, seen, now)
            return sending.before_post(snapshot, seen, now)
    raise TypeError(f"no rule for {type(seen).__name__}")
