"""Decide what an observation means for an attempt. Pure: no clock, no database, no network.

`decide(standing, seen, now)` takes what the row knows and what one exchange showed, and returns what the row shall
know, the events to write, and how long to wait. Rows of docs/failure-modes.md are named by their numbers.

    standing.py   what a decision may rest on, and how it is changed
    checking.py   the node's own check of the request
    sending.py    from the queue to the node's answer to our POST
    watching.py   from there to a verdict
"""

from datetime import datetime

from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterBusy,
    ClusterFree,
    Conflict,
    Forbidden,
    Misbehaved,
    NotSent,
    Observation,
    Redirected,
    Rejected,
    SecretGone,
    Seen,
    SignInWanted,
    Silent,
    Sound,
    StrangeCertificate,
    Unchecked,
    Unsound,
    Unsupported,
)
from setup_wizard.attempts.reducer import checking, sending, watching
from setup_wizard.attempts.reducer.standing import Outcome, Standing, pins, rest
from setup_wizard.attempts.states import Reason, State

__all__ = ["Outcome", "Standing", "decide", "expire", "pins"]

_ANSWERS_TO_THE_POST = (Accepted, AnswerLost, NotSent, Conflict, Rejected, Unsupported)


def decide(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    """Say what `seen` means for an attempt that stands as `standing` does."""
    outcome = _judge(standing, seen, now)
    if outcome.standing.state.is_moving and (overdue := expire(outcome.standing, now)):
        return Outcome(overdue.standing, (*outcome.notes, *overdue.notes), overdue.wait)
    return outcome


def expire(standing: Standing, now: datetime) -> Outcome | None:
    """End or rest an attempt whose time is over; None while it is not.

    A POST that never left is a failure; one that may have left is the operator's to judge (row 35).
    """
    if standing.state is State.NEEDS_OPERATOR:
        return sending.abandon(standing, now)
    if not standing.state.is_moving or standing.deadline_at is None or now < standing.deadline_at:
        return None
    if not standing.may_have_sent:
        return sending.unreachable(standing, now)
    reason = Reason.LOST_CONTACT if standing.silent_since else Reason.OVERDUE
    return rest(standing, reason, now, "The deadline has passed without a verdict from the node")


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
        case _ if isinstance(seen, _ANSWERS_TO_THE_POST):
            return sending.answer_to_post(standing, seen, now)
        case Forbidden() | Silent() | Misbehaved() | Redirected() | SignInWanted() | Seen():
            if standing.may_have_sent:
                return watching.look(standing, seen, now)
            return sending.look(standing, seen, now)
    raise TypeError(f"no rule for {type(seen).__name__}")
