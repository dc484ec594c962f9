"""From the queue to the node's answer to our POST. Rows 7 to 29 of docs/failure-modes.md."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterBusy,
    ClusterFree,
    Conflict,
    Forbidden,
    Misbehaved,
    Note,
    NotSent,
    Observation,
    Redirected,
    Rejected,
    Seen,
    SignInWanted,
    Silent,
    Unsupported,
)
from setup_wizard.attempts.reducer.standing import Outcome, Standing, fail, go_on, heard_again, rest, went_silent
from setup_wizard.attempts.reducer.steps import may_submit
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import State as NodeState

QUEUE_LOOK_SECONDS = 1.0


def queue(standing: Standing, seen: ClusterFree | ClusterBusy, now: datetime) -> Outcome:
    """Leave the queue, or stay in it behind whoever changes the cluster now."""
    if isinstance(seen, ClusterFree):
        return Outcome(
            replace(standing, state=State.CHECKING, waits_for="", started_at=now),
            (Note("checking", "Reaching the node"),),
        )
    notes = (
        ()
        if standing.waits_for == seen.holder
        else (
            Note(
                "waiting", f"Waiting for {seen.holder}: one node at a time changes a cluster", {"holder": seen.holder}
            ),
        )
    )
    return Outcome(replace(standing, waits_for=seen.holder), notes, QUEUE_LOOK_SECONDS)


def look(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    """Judge what came back instead of a baseline that allows the POST."""
    match seen:
        case Silent():
            return _not_yet(standing, seen, now)
        case Seen():
            return _unfit_baseline(standing, seen, now)
        case SignInWanted() if standing.submits:
            # an earlier POST of unknown outcome may have made it a member: look with the sign-in before saying so
            return go_on(replace(standing, state=State.UNKNOWN, signs_in=True), now, at_once=True)
        case SignInWanted():
            return fail(
                standing, Reason.ALREADY_IN_CLUSTER, now, "The node asks for a sign-in: it is in a cluster already"
            )
        case Forbidden(message=message) if standing.submits:
            return rest(standing, Reason.LOST_CONTACT, now, message)
        case Forbidden(message=message):
            return fail(standing, Reason.FORBIDDEN_ADDRESS, now, message)
        case Misbehaved() | Redirected() if standing.submits:
            # nothing that comes back now takes away that an earlier POST may have arrived
            phase = f"HTTP {seen.status}" if isinstance(seen, Redirected) else "answer"
            return _not_yet(standing, Silent(phase), now)
        case Redirected(status=status, location=location):
            return redirected(replace(standing, answer=location), status, now)
        case Misbehaved(detail=detail):
            return fail(
                standing, Reason.NOT_A_NODE, now, "What answers there is not a Redis Enterprise node", detail=detail
            )
    raise TypeError(f"no rule for {type(seen).__name__} before the POST")


def answer_to_post(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    """Judge what the node made of our POST. Rows 19 to 30."""
    match seen:
        case Accepted():
            note = Note("accepted", "The node accepted the request", {"status": 200})
            return go_on(replace(standing, state=State.IN_PROGRESS), now, note)
        case AnswerLost(detail=detail):
            note = Note("unknown", "The request left, but no usable answer came back: finding out", {"detail": detail})
            return Outcome(replace(standing, state=State.UNKNOWN, unchanged_reads=0), (note,), timing.UNKNOWN_LOOK)
        case NotSent():
            return _withdraw(standing, now)
        case Conflict():
            note = Note("conflict", "The node says that a bootstrap runs: looking whose it is", {"status": 409})
            asked = replace(standing, state=State.UNKNOWN, conflict_at=now, unchanged_reads=0)
            return go_on(asked, now, note, at_once=True)
        case Rejected(status=status, message=location) if 300 <= status < 400 and not standing.earlier_unknown:
            return redirected(replace(standing, answer=location), status, now)
        case Unsupported(status=status) if not standing.earlier_unknown:
            return unsupported(standing, status, now)
        case Rejected(status=status, message=message):
            return _refused(replace(standing, answer=message), status, now)
        case Unsupported(status=status):
            return _refused(standing, status, now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def redirected(standing: Standing, status: int, now: datetime) -> Outcome:
    """Follow nothing; the location is kept as text. Row 29."""
    return fail(
        standing,
        Reason.REDIRECTED,
        now,
        f"The node answered with a redirect ({status}), which was not followed",
        status=status,
        location=standing.answer,
    )


def unsupported(standing: Standing, status: int, now: datetime) -> Outcome:
    """Give up: this node has no such call. Row 28."""
    return fail(
        standing, Reason.UNSUPPORTED_ACTION, now, f"The node does not know this action ({status})", status=status
    )


def secret_gone(standing: Standing, now: datetime) -> Outcome:
    """Nothing can be sent, or asked, without the credentials. Row 18."""
    if standing.may_have_sent:
        return rest(standing, Reason.CREDENTIALS_REFUSED, now, "The sign-in is needed again: it is not kept any more")
    return fail(
        standing, Reason.SECRET_UNAVAILABLE, now, "The sealed credentials could not be opened; nothing was sent"
    )


def unreachable(standing: Standing, now: datetime) -> Outcome:
    """Give up on a node that did not come within reach; the operator decides when an earlier POST may have."""
    if standing.submits:
        return rest(standing, Reason.LOST_CONTACT, now, "The node could not be reached to send the request again")
    return fail(
        standing,
        Reason.UNREACHABLE,
        now,
        "The node could not be reached; nothing was sent",
        phase=standing.silent_phase,
    )


def abandon(standing: Standing, now: datetime) -> Outcome | None:
    """Give up waiting for a person after seven days; None until then."""
    if standing.rested_at is None or now < standing.rested_at + timing.ABANDONED_AFTER:
        return None
    return fail(standing, Reason.ABANDONED, now, "Nobody decided within seven days")


def _refused(standing: Standing, status: int, now: datetime) -> Outcome:
    """Look before a refusal is believed: a gateway may refuse what the node has taken. Rows 26 and 27."""
    note = Note(
        "refused", f"The node refused the request ({status}): making sure that nothing has begun", {"status": status}
    )
    asked = replace(standing, state=State.UNKNOWN, refusal=status, unchanged_reads=0)
    return go_on(asked, now, note, at_once=True)


def _withdraw(standing: Standing, now: datetime) -> Outcome:
    """Take back an intent whose POST has certainly not left; what an earlier one left open stays open. Row 30."""
    note = Note("not_sent", "The request was held back: too much time had passed since it was written down")
    earlier = standing.submits - 1
    withdrawn = replace(
        standing,
        state=State.CHECKING,
        submits=earlier,
        submit_intent_at=standing.submit_intent_at if earlier else None,
        # an earlier one that was answered stays answered
        conflict_at=now if earlier and not standing.earlier_unknown else None,
    )
    return Outcome(withdrawn, (note,), 1.0)


def _not_yet(standing: Standing, seen: Silent, now: datetime) -> Outcome:
    """Wait for a node that is still starting: 1, 2, 4 up to 15 s apart, for five minutes. Row 7."""
    silent, notes = went_silent(standing, seen.phase, now, f"No answer yet ({seen.phase}): waiting for the node")
    since = silent.silent_since or now
    if now - since >= timing.UNREACHABLE_AFTER:
        return unreachable(silent, now)
    return Outcome(silent, notes, min(timing.LONGEST_WAIT, max(1.0, (now - since).total_seconds())))


def _unfit_baseline(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    """The node answered, and its state forbids the POST, or it shows that an earlier POST was accepted after all."""
    standing, notes = heard_again(replace(standing, node_state=seen.status.word), now)
    if standing.submits and not may_submit(standing, seen.status):
        # an earlier POST shows, or may: find out whose bootstrap this is, and send nothing
        return go_on(replace(standing, state=State.UNKNOWN), now, *notes, at_once=True)
    if seen.status.state is NodeState.COMPLETED:
        return fail(standing, Reason.ALREADY_IN_CLUSTER, now, "The node is in a cluster already; nothing was sent")
    if seen.status.state.accepts_bootstrap:
        return go_on(standing, now, *notes)
    return rest(
        standing,
        Reason.FOREIGN_IN_PROGRESS,
        now,
        f"The node says {seen.status.word}: somebody else has started on it; nothing was sent",
        node_state=seen.status.word,
    )
