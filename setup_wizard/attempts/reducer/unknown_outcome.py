"""Find out whose bootstrap is running when the answer to our POST does not tell.

A node stores one bootstrap and its start time. Compared with the baseline from just before the POST, they show whether
a bootstrap has started since; that needs no synchronised clocks. It is then likely ours, but someone else could have
started one in the same moment. So it stays unconfirmed, and the attempt succeeds only when the cluster, asked with our
credentials, confirms it.
"""

from dataclasses import replace
from datetime import UTC, datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import NewEvent, answered
from setup_wizard.attempts.reducer import sending
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot, fail, wait_for_operator
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState


def attributed(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision | None:
    """Watch what started since the baseline as ours, or ask the operator; None when nothing has started."""
    if (status.start_time or "") == snapshot.baseline_start_time and not status.state.is_running:
        return None
    if snapshot.not_accepted_at is None or snapshot.earlier_unknown:
        event = NewEvent("attributed", "The node accepted the request: a bootstrap has started since it was sent")
        return Decision(_followed(snapshot), (event,))
    if _began_as_we_sent(snapshot, status):
        message = "The running bootstrap started when our request was sent. The cluster will show whose it is"
        return Decision(_followed(snapshot), (NewEvent("unconfirmed", message, {"start_time": status.start_time}),))
    return wait_for_operator(
        replace(snapshot, node_state=status.word),
        Reason.FOREIGN_IN_PROGRESS,
        now,
        "The node refused the request because another bootstrap is in progress",
        node_state=status.word,
    )


def unchanged(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision:
    """Nothing has started: fail at once after a refusal; after the settle time the request counts as lost."""
    snapshot = replace(snapshot, state=State.UNKNOWN)
    if status.state is NodeState.COMPLETED:  # with the start time of the baseline
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The node joined a cluster before it got the request")
    if snapshot.refusal:
        return _refusal(snapshot, now)
    if not snapshot.is_settled:
        return Decision(snapshot, (), timing.UNKNOWN_POLL_INTERVAL)
    if snapshot.unchanged_reads + 1 < timing.UNCHANGED_READS:
        return Decision(
            replace(snapshot, unchanged_reads=snapshot.unchanged_reads + 1), (), timing.UNKNOWN_POLL_INTERVAL
        )
    snapshot = replace(snapshot, unchanged_reads=0)
    if _may_send_again(snapshot):
        message = "The node shows no trace of the request, and it can no longer arrive. Sending it once more"
        again = replace(snapshot, state=State.CHECKING, resubmits=snapshot.resubmits + 1)
        return Decision(again, (NewEvent("resubmitting", message, {"baseline": snapshot.baseline_state}),))
    said = f". It answered {answered(snapshot.answer_status, snapshot.answer)}" if snapshot.answer_status else ""
    return wait_for_operator(snapshot, Reason.NOT_ACCEPTED, now, f"The node shows no trace of the request{said}")


def member_already(snapshot: Snapshot, now: datetime) -> Decision | None:
    """Fail when the POST and the poll after it both ask for credentials: the node was a member before."""
    if snapshot.refusal in {401, 403} and not snapshot.earlier_unknown:
        message = "The node asks for credentials, so it is already in a cluster"
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, message, status=snapshot.refusal)
    return None


def _followed(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, state=State.IN_PROGRESS, unconfirmed=True, unchanged_reads=0)


def _may_send_again(snapshot: Snapshot) -> bool:
    """Whether the one automatic retry is left and safe."""
    return (
        snapshot.resubmits == 0
        and snapshot.not_accepted_at is None  # someone else's bootstrap was or is running there
        and not snapshot.new_fingerprint  # a node with a new certificate has done something since
    )


def _refusal(snapshot: Snapshot, now: datetime) -> Decision:
    status = snapshot.refusal
    if status in {404, 405}:
        return sending.unsupported(snapshot, status, now)
    if 300 <= status < 400:
        return sending.redirected(snapshot, status, now)
    message = f"The node rejected the request. It answered {answered(status, snapshot.answer)}"
    return fail(snapshot, Reason.REJECTED, now, message, status=status)


def _began_as_we_sent(snapshot: Snapshot, status: BootstrapStatus) -> bool:
    """Whether the start time lies between our intent and the 409, within the precision of nodes."""
    try:
        began = datetime.fromisoformat(status.start_time or "")
    except ValueError:
        return False
    began = began if began.tzinfo else began.replace(tzinfo=UTC)
    sent, answered = snapshot.submit_intent_at, snapshot.not_accepted_at
    if sent is None or answered is None:
        return False
    return sent - timing.SEND_WINDOW < began <= answered
