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
    answered,
)
from setup_wizard.attempts.reducer.standing import HTTP, Outcome, Standing, fail, go_on, heard_again, rest, went_silent
from setup_wizard.attempts.reducer.steps import may_submit
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import NodeState

QUEUE_LOOK_SECONDS = 1.0


def queue(standing: Standing, seen: ClusterFree | ClusterBusy, now: datetime) -> Outcome:
    """Leave the queue, or stay in it behind whoever changes the cluster now."""
    if isinstance(seen, ClusterFree):
        return Outcome(
            replace(standing, state=State.CHECKING, waits_for="", waits_for_decision=False, started_at=now),
            (Note("checking", "Reaching the node"),),
        )
    waiting = replace(standing, waits_for=seen.holder, waits_for_decision=seen.is_waiting)
    if waiting == standing:
        return Outcome(waiting, (), QUEUE_LOOK_SECONDS)
    why = ", which needs a decision" if seen.is_waiting else ": one node at a time changes a cluster"
    note = Note(
        "waiting", f"Waiting for {seen.holder}{why}", {"holder": seen.holder, "needs_decision": seen.is_waiting}
    )
    return Outcome(waiting, (note,), QUEUE_LOOK_SECONDS)


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
        case SignInWanted(status=status, words=words):
            said = replace(standing, answer=words, answer_status=status)
            message = f"The node answered {answered(status, words)}. It asks for a sign-in: it is in a cluster already"
            return fail(said, Reason.ALREADY_IN_CLUSTER, now, message)
        case Forbidden(message=message) if standing.submits:
            return rest(standing, Reason.LOST_CONTACT, now, message)
        case Forbidden(message=message):
            return fail(standing, Reason.FORBIDDEN_ADDRESS, now, message)
        case Misbehaved() | Redirected() if standing.submits:
            # nothing that comes back now takes away that an earlier POST may have arrived
            phase = f"{HTTP}{seen.status}" if seen.status else "answer"
            words = seen.words if isinstance(seen, Misbehaved) else ""
            return _not_yet(standing, Silent(phase, words=words), now)
        case Redirected(status=status, location=location):
            return redirected(replace(standing, answer=location), status, now)
        case Misbehaved(detail=detail, status=status, words=words):
            message = f"What answers there is not a Redis Enterprise node: {detail}"
            said = replace(standing, answer=words, answer_status=status)
            return fail(said, Reason.NOT_A_NODE, now, message, detail=detail, answer=words)
    raise TypeError(f"no rule for {type(seen).__name__} before the POST")


def answer_to_post(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    """Judge what the node made of our POST. Rows 19 to 30."""
    match seen:
        case Accepted():
            note = Note("accepted", "The node accepted the request", {"status": 200})
            return go_on(replace(standing, state=State.IN_PROGRESS), now, note)
        case AnswerLost():
            return _lost(standing, seen)
        case NotSent():
            return _withdraw(standing, now)
        case Conflict(words=words):
            message = f"The node answered {answered(409, words)}. Checking whose bootstrap runs"
            note = Note("conflict", message, {"status": 409, "answer": words})
            said = replace(standing, answer=words, answer_status=409)
            asked = replace(said, state=State.UNKNOWN, conflict_at=now, unchanged_reads=0)
            return go_on(asked, now, note, at_once=True)
        case Rejected(status=status, message=location) if 300 <= status < 400 and not standing.earlier_unknown:
            return redirected(replace(standing, answer=location), status, now)
        case Unsupported(status=status, words=words) if not standing.earlier_unknown:
            return unsupported(replace(standing, answer=words, answer_status=status), status, now)
        case Rejected(status=status, message=words) | Unsupported(status=status, words=words):
            return _refused(replace(standing, answer=words, answer_status=status), status, now)
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
    message = f"The node does not know this action: it answered {answered(status, standing.answer)}"
    return fail(standing, Reason.UNSUPPORTED_ACTION, now, message, status=status)


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


def _lost(standing: Standing, seen: AnswerLost) -> Outcome:
    """Look whether the node took a request that it did not say yes or no to. Rows 22 to 24."""
    if seen.status:
        message = f"The node answered {answered(seen.status, seen.words)}. Checking whether it took the request"
    else:
        message = "The request left, and no answer came back. Checking whether the node took it"
    note = Note("unknown", message, {"detail": seen.detail, "status": seen.status, "answer": seen.words})
    said = replace(standing, answer=seen.words, answer_status=seen.status)
    return Outcome(replace(said, state=State.UNKNOWN, unchanged_reads=0), (note,), timing.UNKNOWN_LOOK)


def _refused(standing: Standing, status: int, now: datetime) -> Outcome:
    """Look before a refusal is believed: a gateway may refuse what the node has taken. Rows 26 and 27."""
    message = f"The node answered {answered(status, standing.answer)}. Making sure that nothing has begun"
    note = Note("refused", message, {"status": status, "answer": standing.answer})
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
    message = f"No answer yet ({seen.phase}): waiting for the node"
    silent, notes = went_silent(standing, seen.phase, now, message, seen.words)
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
