"""Decide what an observation means for an attempt. Pure: no clock, no database, no network.

`decide(snapshot, seen, now, passed)` takes what the row knows and what one exchange showed, and returns what the row
shall know, the events to write, and how long to wait. Rows of docs/failure-modes.md are named by their numbers.

    snapshot.py   what a decision may rest on, and how it is changed
    steps.py      which exchange comes next, and what is written before the POST
    checking.py   the node's own check of the request
    sending.py    from the queue to the node's answer to our POST
    doubt.py      whose bootstrap it is, when the answer does not tell
    watching.py   from there to the node's own verdict
    verifying.py  what the cluster says of it, which alone is success
    refusals.py   refused sign-ins, of which there may only be a few
    breaking.py   a tick that broke on a fault of ours
    choosing.py   what an operator decides
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
    StrangeCertificate,
    TickFailed,
    Unsupported,
    Valid,
)
from setup_wizard.attempts.reducer import refusals, sending, tick_failed, validation, verifying, watching
from setup_wizard.attempts.reducer.snapshot import (
    Decision,
    Retention,
    Snapshot,
    count,
    member_pins,
    pins,
    retention,
    until,
    wait_for_operator,
)
from setup_wizard.attempts.reducer.steps import ACCESS_DENIED, Step, intend, may_sign_in, may_submit, step, was_denied
from setup_wizard.attempts.states import Reason, State

__all__ = [
    "ACCESS_DENIED",
    "Decision",
    "Retention",
    "Snapshot",
    "Step",
    "decide",
    "expire",
    "intend",
    "may_sign_in",
    "may_submit",
    "member_pins",
    "pins",
    "retention",
    "step",
    "until",
    "was_denied",
]

_ANSWERS_TO_THE_POST = (Accepted, AnswerLost, NotSent, Conflict, Rejected, Unsupported)


def decide(snapshot: Snapshot, seen: Observation, now: datetime, passed: timedelta | None = None) -> Decision:
    """Say what `seen` means for an attempt that stands as `snapshot` does.

    `passed` is the time since the last look by a counter that no clock moves, where there is one.
    """
    if not isinstance(seen, ClusterFree | ClusterBusy):
        snapshot = count(snapshot, now, passed)
    if isinstance(seen, TickFailed):
        decision = tick_failed.judge(snapshot, seen, now)
    elif isinstance(seen, SignInHeld):
        decision = refusals.held(replace(snapshot, failed_ticks=0), seen, now)
    else:
        decision = _judge(replace(snapshot, failed_ticks=0), seen, now)
    if decision.snapshot.state.is_moving and (overdue := expire(decision.snapshot, now)):
        return Decision(overdue.snapshot, (*decision.events, *overdue.events), overdue.wait)
    return decision


def expire(snapshot: Snapshot, now: datetime) -> Decision | None:
    """End or rest an attempt whose time is over; None while it is not.

    Its time is over by the clock, or by the looks it has taken when the clock was put back (row 32). A POST that never
    left is a failure; one that may have left is the operator's to judge (row 35).
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
            snapshot, Reason.LOST_CONTACT, now, "The deadline has passed, and the node cannot be asked"
        )
    return wait_for_operator(snapshot, Reason.OVERDUE, now, "The deadline has passed without a verdict")


def _judge(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    match seen:
        case ClusterFree() | ClusterBusy():
            return sending.queue(snapshot, seen, now)
        case Valid() | Invalid() | NotValidated():
            return validation.judge(snapshot, seen, now)
        case CredentialsMissing():
            return sending.secret_gone(snapshot, now)
        case StrangeCertificate():
            return watching.strange_certificate(snapshot, seen, now)
        case MemberNamed() | MemberUnavailable() | MemberRefused():
            return verifying.member(snapshot, seen, now)
        case ClusterShown() | NodeListed():
            return verifying.cluster(snapshot, seen, now)
        case _ if isinstance(seen, _ANSWERS_TO_THE_POST):
            return sending.answer_to_post(snapshot, seen, now)
        case Forbidden() | Silent() | Misbehaved() | Redirected() | SignInWanted() | Seen():
            if snapshot.watches:
                return watching.look(snapshot, seen, now)
            return sending.look(snapshot, seen, now)
    raise TypeError(f"no rule for {type(seen).__name__}")
