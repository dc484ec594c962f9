"""From the queue to the node's answer to our POST."""

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
    phase_words,
)
from setup_wizard.attempts.reducer.exchanges import may_submit
from setup_wizard.attempts.reducer.snapshot import (
    HTTP,
    Decision,
    Snapshot,
    address_forbidden,
    end_silence,
    fail,
    note_silence,
    poll_again,
    wait_for_operator,
)
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import NodeState

QUEUE_POLL_SECONDS = 1.0


def queue(snapshot: Snapshot, seen: ClusterFree | ClusterBusy, now: datetime) -> Decision:
    """Leave the queue, or wait for the attempt that holds the cluster."""
    if isinstance(seen, ClusterFree):
        return Decision(
            replace(snapshot, state=State.CHECKING, blocked_by="", blocker_needs_operator=False, started_at=now),
            (NewEvent("checking", "Connecting to the node"),),
        )
    waiting = replace(snapshot, blocked_by=seen.holder, blocker_needs_operator=seen.needs_operator)
    if waiting == snapshot:
        return Decision(waiting, (), QUEUE_POLL_SECONDS)
    why = ", which waits for the operator" if seen.needs_operator else ": only one node at a time can change a cluster"
    event = NewEvent(
        "waiting", f"Waiting for {seen.holder}{why}", {"holder": seen.holder, "needs_decision": seen.needs_operator}
    )
    return Decision(waiting, (event,), QUEUE_POLL_SECONDS)


def before_post(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    """Handle an answer that does not allow the POST."""
    match seen:
        case Silent():
            return _not_yet(snapshot, seen, now)
        case Seen():
            return _unfit_baseline(snapshot, seen, now)
        case SignInWanted() if snapshot.submits:
            # an earlier POST of unknown outcome may have made it a member: poll with credentials first
            return poll_again(replace(snapshot, state=State.UNKNOWN, wants_sign_in=True), now, at_once=True)
        case SignInWanted(status=status, error_text=error_text):
            said = replace(snapshot, answer=error_text, answer_status=status)
            message = (
                f"The node answered {answered(status, error_text)}. It asks for credentials: it is already in a cluster"
            )
            return fail(said, Reason.ALREADY_IN_CLUSTER, now, message)
        case Forbidden(message=message) if snapshot.submits:
            return address_forbidden(snapshot, message, now)
        case Forbidden(message=message):
            return fail(snapshot, Reason.FORBIDDEN_ADDRESS, now, message)
        case Misbehaved() | Redirected() if snapshot.submits:
            # whatever this answer says, an earlier POST may have arrived
            phase = f"{HTTP}{seen.status}" if seen.status else "answer"
            error_text = seen.error_text if isinstance(seen, Misbehaved) else ""
            return _not_yet(snapshot, Silent(phase, error_text=error_text), now)
        case Redirected(status=status, location=location):
            return redirected(replace(snapshot, answer=location), status, now)
        case Misbehaved(detail=detail, status=status, error_text=error_text):
            message = f"This is not a Redis Enterprise node: {detail}"
            said = replace(snapshot, answer=error_text, answer_status=status)
            return fail(said, Reason.NOT_A_NODE, now, message, detail=detail, answer=error_text)
    raise TypeError(f"no rule for {type(seen).__name__} before the POST")


def answer_to_post(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    """Handle the node's answer to our POST."""
    match seen:
        case Accepted():
            event = NewEvent("accepted", "The node accepted the request", {"status": 200})
            return poll_again(replace(snapshot, state=State.IN_PROGRESS), now, event)
        case AnswerLost():
            return _lost(snapshot, seen)
        case NotSent():
            return _withdraw(snapshot, now)
        case Conflict(error_text=error_text):
            message = f"The node answered {answered(409, error_text)}. Checking whose bootstrap is running"
            event = NewEvent("conflict", message, {"status": 409, "answer": error_text})
            said = replace(snapshot, answer=error_text, answer_status=409)
            asked = replace(said, state=State.UNKNOWN, not_accepted_at=now, unchanged_reads=0)
            return poll_again(asked, now, event, at_once=True)
        case Rejected(status=status, location=location) if 300 <= status < 400 and not snapshot.earlier_unknown:
            return redirected(replace(snapshot, answer=location), status, now)
        case Unsupported(status=status, error_text=error_text) if not snapshot.earlier_unknown:
            return unsupported(replace(snapshot, answer=error_text, answer_status=status), status, now)
        case Rejected(status=status, location=location) if location:
            return _refused(replace(snapshot, answer=location, answer_status=status), status, now)
        case Rejected(status=status, error_text=error_text) | Unsupported(status=status, error_text=error_text):
            return _refused(replace(snapshot, answer=error_text, answer_status=status), status, now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def redirected(snapshot: Snapshot, status: int, now: datetime) -> Decision:
    """Fail: redirects are not followed; the location is kept as text."""
    return fail(
        snapshot,
        Reason.REDIRECTED,
        now,
        f"The node answered with a redirect ({status}). It was not followed",
        status=status,
        location=snapshot.answer,
    )


def unsupported(snapshot: Snapshot, status: int, now: datetime) -> Decision:
    """Fail: this node does not have this endpoint."""
    message = f"The node does not support this action. It answered {answered(status, snapshot.answer)}"
    return fail(snapshot, Reason.UNSUPPORTED_ACTION, now, message, status=status)


def credentials_missing(snapshot: Snapshot, now: datetime) -> Decision:
    """Ask for the credentials again; fail if nothing was sent yet."""
    if snapshot.watches_or_sent:
        return wait_for_operator(
            snapshot, Reason.CREDENTIALS_REFUSED, now, "The credentials are needed again. They are no longer stored"
        )
    return fail(
        snapshot, Reason.SECRET_UNAVAILABLE, now, "The stored credentials could not be decrypted. Nothing was sent"
    )


def unreachable(snapshot: Snapshot, now: datetime) -> Decision:
    """Fail, or wait for the operator when an earlier POST may have arrived."""
    if snapshot.submits:
        return wait_for_operator(
            snapshot, Reason.LOST_CONTACT, now, "The node could not be reached to send the request again"
        )
    return fail(
        snapshot,
        Reason.UNREACHABLE,
        now,
        "The node could not be reached. Nothing was sent",
        phase=snapshot.silent_phase,
    )


def abandon(snapshot: Snapshot, now: datetime) -> Decision | None:
    """Fail after seven days without a choice; None until then."""
    if snapshot.waiting_since is None or now < snapshot.waiting_since + timing.ABANDONED_AFTER:
        return None
    return fail(snapshot, Reason.ABANDONED, now, "The operator made no choice within seven days")


def _lost(snapshot: Snapshot, seen: AnswerLost) -> Decision:
    """Find out whether the node accepted a request that it did not answer clearly."""
    if seen.status:
        message = (
            f"The node answered {answered(seen.status, seen.error_text)}. Checking whether it accepted the request"
        )
    else:
        message = "The request was sent, but no answer came. Checking whether the node accepted it"
    event = NewEvent("unknown", message, {"detail": seen.detail, "status": seen.status, "answer": seen.error_text})
    said = replace(snapshot, answer=seen.error_text, answer_status=seen.status)
    return Decision(replace(said, state=State.UNKNOWN, unchanged_reads=0), (event,), timing.UNKNOWN_POLL_INTERVAL)


def _refused(snapshot: Snapshot, status: int, now: datetime) -> Decision:
    """Check the node before the attempt fails: a gateway may refuse what the node has accepted."""
    message = f"The node answered {answered(status, snapshot.answer)}. Checking that it has not started a bootstrap"
    event = NewEvent("refused", message, {"status": status, "answer": snapshot.answer})
    asked = replace(snapshot, state=State.UNKNOWN, refusal=status, unchanged_reads=0)
    return poll_again(asked, now, event, at_once=True)


def _withdraw(snapshot: Snapshot, now: datetime) -> Decision:
    """Undo an intent whose POST was certainly not sent; an earlier unknown outcome stays unknown."""
    event = NewEvent("not_sent", "The request was not sent because this server was too slow. Trying again")
    earlier = snapshot.submits - 1
    withdrawn = replace(
        snapshot,
        state=State.CHECKING,
        submits=earlier,
        submit_intent_at=snapshot.submit_intent_at if earlier else None,
        # an earlier POST that was answered stays answered
        not_accepted_at=now if earlier and not snapshot.earlier_unknown else None,
    )
    return Decision(withdrawn, (event,), 1.0)


def _not_yet(snapshot: Snapshot, seen: Silent, now: datetime) -> Decision:
    """Wait for a node that is still starting: 1, 2, 4 up to 15 s apart, for five minutes."""
    message = f"The node does not answer yet: {phase_words(seen.phase)}. Retrying"
    silent, events = note_silence(snapshot, seen.phase, now, message, seen.error_text)
    since = silent.silent_since or now
    if now - since >= timing.UNREACHABLE_AFTER:
        return unreachable(silent, now)
    return Decision(silent, events, min(timing.LONGEST_RETRY_PAUSE, max(1.0, (now - since).total_seconds())))


def _unfit_baseline(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Handle a state that forbids the POST, or shows that an earlier POST was accepted."""
    snapshot, events = end_silence(replace(snapshot, node_state=seen.status.word), now)
    if snapshot.submits and not may_submit(snapshot, seen.status):
        # an earlier POST was or may have been accepted: find out whose bootstrap this is, and send nothing
        return poll_again(replace(snapshot, state=State.UNKNOWN), now, *events, at_once=True)
    if seen.status.state is NodeState.COMPLETED:
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The node is already in a cluster. Nothing was sent")
    if seen.status.state.accepts_bootstrap:
        return poll_again(snapshot, now, *events)
    return wait_for_operator(
        snapshot,
        Reason.FOREIGN_IN_PROGRESS,
        now,
        f"Someone else has started a bootstrap on this node ({seen.status.word}). Nothing was sent",
        node_state=seen.status.word,
    )
