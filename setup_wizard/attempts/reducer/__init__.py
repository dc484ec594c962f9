"""Decide what an observation means for an attempt. Pure: no clock, no database, no network.

`decide(standing, seen, now, passed)` takes what the row knows and what one exchange showed, and returns what the row
shall know, the events to write, and how long to wait. Rows of docs/failure-modes.md are named by their numbers.

    standing.py   what a decision may rest on, and how it is changed
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
    Broken,
    ClusterBusy,
    ClusterFree,
    ClusterShown,
    Conflict,
    Forbidden,
    MemberMute,
    MemberNamed,
    MemberRefused,
    Misbehaved,
    NodeListed,
    NotSent,
    Observation,
    Redirected,
    Rejected,
    SecretGone,
    Seen,
    SignInHeld,
    SignInWanted,
    Silent,
    Sound,
    StrangeCertificate,
    Unchecked,
    Unsound,
    Unsupported,
)
from setup_wizard.attempts.reducer import breaking, checking, refusals, sending, verifying, watching
from setup_wizard.attempts.reducer.standing import (
    Outcome,
    Retention,
    Standing,
    count,
    member_pins,
    pins,
    rest,
    retention,
    until,
)
from setup_wizard.attempts.reducer.steps import ACCESS_DENIED, Step, intend, may_sign_in, may_submit, step, was_denied
from setup_wizard.attempts.states import Reason, State

__all__ = [
    "ACCESS_DENIED",
    "Outcome",
    "Retention",
    "Standing",
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


def decide(standing: Standing, seen: Observation, now: datetime, passed: timedelta | None = None) -> Outcome:
    """Say what `seen` means for an attempt that stands as `standing` does.

    `passed` is the time since the last look by a counter that no clock moves, where there is one.
    """
    if not isinstance(seen, ClusterFree | ClusterBusy):
        standing = count(standing, now, passed)
    if isinstance(seen, Broken):
        outcome = breaking.judge(standing, seen, now)
    elif isinstance(seen, SignInHeld):
        outcome = refusals.held(replace(standing, faults=0), seen, now)
    else:
        outcome = _judge(replace(standing, faults=0), seen, now)
    if outcome.standing.state.is_moving and (overdue := expire(outcome.standing, now)):
        return Outcome(overdue.standing, (*outcome.notes, *overdue.notes), overdue.wait)
    return outcome


def expire(standing: Standing, now: datetime) -> Outcome | None:
    """End or rest an attempt whose time is over; None while it is not.

    Its time is over by the clock, or by the looks it has taken when the clock was put back (row 32). A POST that never
    left is a failure; one that may have left is the operator's to judge (row 35).
    """
    if standing.state is State.NEEDS_OPERATOR:
        return sending.abandon(standing, now)
    if not standing.state.is_moving or standing.deadline_at is None:
        return None
    if now < standing.deadline_at and (standing.time_left is None or standing.time_left > 0):
        return None
    if not standing.watches:
        return sending.unreachable(standing, now)
    if standing.silent_since:
        return rest(standing, Reason.LOST_CONTACT, now, "The deadline has passed, and the node cannot be asked")
    return rest(standing, Reason.OVERDUE, now, "The deadline has passed without a verdict")


def _judge(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    match seen:
        case ClusterFree() | ClusterBusy():
            return sending.queue(standing, seen, now)
        case Sound() | Unsound() | Unchecked():
            return checking.judge(standing, seen, now)
        case SecretGone():
            return sending.secret_gone(standing, now)
        case StrangeCertificate():
            return watching.strange_certificate(standing, seen, now)
        case MemberNamed() | MemberMute() | MemberRefused():
            return verifying.member(standing, seen, now)
        case ClusterShown() | NodeListed():
            return verifying.cluster(standing, seen, now)
        case _ if isinstance(seen, _ANSWERS_TO_THE_POST):
            return sending.answer_to_post(standing, seen, now)
        case Forbidden() | Silent() | Misbehaved() | Redirected() | SignInWanted() | Seen():
            if standing.watches:
                return watching.look(standing, seen, now)
            return sending.look(standing, seen, now)
    raise TypeError(f"no rule for {type(seen).__name__}")
