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
    NewEvent,
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
from setup_wizard.attempts.reducer.snapshot import (
    HTTP,
    Decision,
    Snapshot,
    end_silence,
    fail,
    note_silence,
    poll_again,
    wait_for_operator,
)
from setup_wizard.attempts.reducer.steps import may_submit
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import NodeState

QUEUE_LOOK_SECONDS = 1.0


def queue(snapshot: Snapshot, seen: ClusterFree | ClusterBusy, now: datetime) -> Decision:
    """Leave the queue, or stay in it behind whoever changes the cluster now."""
    if isinstance(seen, ClusterFree):
        return Decision(
            replace(snapshot, state=State.CHECKING, blocked_by="", blocker_needs_operator=False, started_at=now),
            (NewEvent("checking", "Reaching the node"),),
        )
    waiting = replace(snapshot, blocked_by=seen.holder, blocker_needs_operator=seen.is_waiting)
    if waiting == snapshot:
        return Decision(waiting, (), QUEUE_LOOK_SECONDS)
    why = ", which needs a decision" if seen.is_waiting else ": one node at a time changes a cluster"
    event = NewEvent(
        "waiting", f"Waiting for {seen.holder}{why}", {"holder": seen.holder, "needs_decision": seen.is_waiting}
    )
    return Decision(waiting, (event,), QUEUE_LOOK_SECONDS)


def look(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    """Judge what came back instead of a baseline that allows the POST."""
    match seen:
        case Silent():
            return _not_yet(snapshot, seen, now)
        case Seen():
            return _unfit_baseline(snapshot, seen, now)
        case SignInWanted() if snapshot.submits:
            # an earlier POST of unknown decision may have made it a member: look with the sign-in before saying so
            return poll_again(replace(snapshot, state=State.UNKNOWN, wants_sign_in=True), now, at_once=True)
        case SignInWanted(status=status, words=words):
            said = replace(snapshot, answer=words, answer_status=status)
            message = f"The node answered {answered(status, words)}. It asks for a sign-in: it is in a cluster already"
            return fail(said, Reason.ALREADY_IN_CLUSTER, now, message)
        case Forbidden(message=message) if snapshot.submits:
            return wait_for_operator(snapshot, Reason.LOST_CONTACT, now, message)
        case Forbidden(message=message):
            return fail(snapshot, Reason.FORBIDDEN_ADDRESS, now, message)
        case Misbehaved() | Redirected() if snapshot.submits:
            # nothing that comes back now takes away that an earlier POST may have arrived
            phase = f"{HTTP}{seen.status}" if seen.status else "answer"
            words = seen.words if isinstance(seen, Misbehaved) else ""
            return _not_yet(snapshot, Silent(phase, words=words), now)
        case Redirected(status=status, location=location):
            return redirected(replace(snapshot, answer=location), status, now)
        case Misbehaved(detail=detail, status=status, words=words):
            message = f"What answers there is not a Redis Enterprise node: {detail}"
            said = replace(snapshot, answer=words, answer_status=status)
            return fail(said, Reason.NOT_A_NODE, now, message, detail=detail, answer=words)
    raise TypeError(f"no rule for {type(seen).__name__} before the POST")


def answer_to_post(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    """Judge what the node made of our POST. Rows 19 to 30."""
    match seen:
        case Accepted():
            event = NewEvent("accepted", "The node accepted the request", {"status": 200})
            return poll_again(replace(snapshot, state=State.IN_PROGRESS), now, event)
        case AnswerLost():
            return _lost(snapshot, seen)
        case NotSent():
            return _withdraw(snapshot, now)
        case Conflict(words=words):
            message = f"The node answered {answered(409, words)}. Checking whose bootstrap runs"
            event = NewEvent("conflict", message, {"status": 409, "answer": words})
            said = replace(snapshot, answer=words, answer_status=409)
            asked = replace(said, state=State.UNKNOWN, conflict_at=now, unchanged_reads=0)
            return poll_again(asked, now, event, at_once=True)
        case Rejected(status=status, message=location) if 300 <= status < 400 and not snapshot.earlier_unknown:
            return redirected(replace(snapshot, answer=location), status, now)
        case Unsupported(status=status, words=words) if not snapshot.earlier_unknown:
            return unsupported(replace(snapshot, answer=words, answer_status=status), status, now)
        case Rejected(status=status, message=words) | Unsupported(status=status, words=words):
            return _refused(replace(snapshot, answer=words, answer_status=status), status, now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def redirected(snapshot: Snapshot, status: int, now: datetime) -> Decision:
    """Follow nothing; the location is kept as text. Row 29."""
    return fail(
        snapshot,
        Reason.REDIRECTED,
        now,
        f"The node answered with a redirect ({status}), which was not followed",
        status=status,
        location=snapshot.answer,
    )


def unsupported(snapshot: Snapshot, status: int, now: datetime) -> Decision:
    """Give up: this node has no such call. Row 28."""
    message = f"The node does not know this action: it answered {answered(status, snapshot.answer)}"
    return fail(snapshot, Reason.UNSUPPORTED_ACTION, now, message, status=status)


def secret_gone(snapshot: Snapshot, now: datetime) -> Decision:
    """Nothing can be sent, or asked, without the credentials. Row 18."""
    if snapshot.may_have_sent:
        return wait_for_operator(
            snapshot, Reason.CREDENTIALS_REFUSED, now, "The sign-in is needed again: it is not kept any more"
        )
    return fail(
        snapshot, Reason.SECRET_UNAVAILABLE, now, "The sealed credentials could not be opened; nothing was sent"
    )


def unreachable(snapshot: Snapshot, now: datetime) -> Decision:
    """Give up on a node that did not come within reach; the operator decides when an earlier POST may have."""
    if snapshot.submits:
        return wait_for_operator(
            snapshot, Reason.LOST_CONTACT, now, "The node could not be reached to send the request again"
        )
    return fail(
        snapshot,
        Reason.UNREACHABLE,
        now,
        "The node could not be reached; nothing was sent",
        phase=snapshot.silent_phase,
    )


def abandon(snapshot: Snapshot, now: datetime) -> Decision | None:
    """Give up waiting for a person after seven days; None until then."""
    if snapshot.waiting_since is None or now < snapshot.waiting_since + timing.ABANDONED_AFTER:
        return None
    return fail(snapshot, Reason.ABANDONED, now, "Nobody decided within seven days")


def _lost(snapshot: Snapshot, seen: AnswerLost) -> Decision:
    """Look whether the node took a request that it did not say yes or no to. Rows 22 to 24."""
    if seen.status:
        message = f"The node answered {answered(seen.status, seen.words)}. Checking whether it took the request"
    else:
        message = "The request left, and no answer came back. Checking whether the node took it"
    event = NewEvent("unknown", message, {"detail": seen.detail, "status": seen.status, "answer": seen.words})
    said = replace(snapshot, answer=seen.words, answer_status=seen.status)
    return Decision(replace(said, state=State.UNKNOWN, unchanged_reads=0), (event,), timing.UNKNOWN_POLL_INTERVAL)


def _refused(snapshot: Snapshot, status: int, now: datetime) -> Decision:
    """Look before a refusal is believed: a gateway may refuse what the node has taken. Rows 26 and 27."""
    message = f"The node answered {answered(status, snapshot.answer)}. Making sure that nothing has begun"
    event = NewEvent("refused", message, {"status": status, "answer": snapshot.answer})
    asked = replace(snapshot, state=State.UNKNOWN, refusal=status, unchanged_reads=0)
    return poll_again(asked, now, event, at_once=True)


def _withdraw(snapshot: Snapshot, now: datetime) -> Decision:
    """Take back an intent whose POST has certainly not left; what an earlier one left open stays open. Row 30."""
    event = NewEvent("not_sent", "The request was held back: too much time had passed since it was written down")
    earlier = snapshot.submits - 1
    withdrawn = replace(
        snapshot,
        state=State.CHECKING,
        submits=earlier,
        submit_intent_at=snapshot.submit_intent_at if earlier else None,
        # an earlier one that was answered stays answered
        conflict_at=now if earlier and not snapshot.earlier_unknown else None,
    )
    return Decision(withdrawn, (event,), 1.0)


def _not_yet(snapshot: Snapshot, seen: Silent, now: datetime) -> Decision:
    """Wait for a node that is still starting: 1, 2, 4 up to 15 s apart, for five minutes. Row 7."""
    message = f"No answer yet ({seen.phase}): waiting for the node"
    silent, events = note_silence(snapshot, seen.phase, now, message, seen.words)
    since = silent.silent_since or now
    if now - since >= timing.UNREACHABLE_AFTER:
        return unreachable(silent, now)
    return Decision(silent, events, min(timing.LONGEST_RETRY_PAUSE, max(1.0, (now - since).total_seconds())))


def _unfit_baseline(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """The node answered, and its state forbids the POST, or it shows that an earlier POST was accepted after all."""
    snapshot, events = end_silence(replace(snapshot, node_state=seen.status.word), now)
    if snapshot.submits and not may_submit(snapshot, seen.status):
        # an earlier POST shows, or may: find out whose bootstrap this is, and send nothing
        return poll_again(replace(snapshot, state=State.UNKNOWN), now, *events, at_once=True)
    if seen.status.state is NodeState.COMPLETED:
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The node is in a cluster already; nothing was sent")
    if seen.status.state.accepts_bootstrap:
        return poll_again(snapshot, now, *events)
    return wait_for_operator(
        snapshot,
        Reason.FOREIGN_IN_PROGRESS,
        now,
        f"The node says {seen.status.word}: somebody else has started on it; nothing was sent",
        node_state=seen.status.word,
    )
