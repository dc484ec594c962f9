"""Whose bootstrap it is, when the node's answer to our POST does not tell. Reference: D5, rows 20 to 27.

A node keeps one bootstrap and its start time. Compared with the baseline that was read just before the POST, they tell
whether something began since; no clocks have to agree for that. That it was ours is then likely, not certain: somebody
else could have started in the same moment. So what is adopted here is unconfirmed, and only what the cluster says in
the end, asked with our sign-in, makes it a success.
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
    """Take what has begun since the baseline for ours, or let the operator judge it; None when nothing has begun."""
    if (status.start_time or "") == snapshot.baseline_start_time and not status.state.is_running:
        return None
    if snapshot.conflict_at is None or snapshot.earlier_unknown:
        event = NewEvent(
            "attributed", "The node had taken the request after all: a bootstrap has begun since it was sent"
        )
        return Decision(_followed(snapshot), (event,))
    if _began_as_we_sent(snapshot, status):
        message = (
            "It began as our request was sent, which may have arrived twice: only the cluster can tell whose it is"
        )
        return Decision(_followed(snapshot), (NewEvent("unconfirmed", message, {"start_time": status.start_time}),))
    return wait_for_operator(
        replace(snapshot, node_state=status.word),
        Reason.FOREIGN_IN_PROGRESS,
        now,
        "The node refused: another bootstrap is in progress on it",
        node_state=status.word,
    )


def unchanged(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision:
    """Nothing has begun: believe a refusal at once, and the loss of the request after the quiet time. D5."""
    snapshot = replace(snapshot, state=State.UNKNOWN)
    if status.state is NodeState.COMPLETED:  # with the baseline's start time: row 39
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The node was in a cluster before the request reached it")
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
        message = "The node shows no trace of the request, and it can no longer arrive: sending it once more"
        again = replace(snapshot, state=State.CHECKING, resubmits=snapshot.resubmits + 1)
        return Decision(again, (NewEvent("resubmitting", message, {"baseline": snapshot.baseline_state}),))
    said = f"; it answered {answered(snapshot.answer_status, snapshot.answer)}" if snapshot.answer_status else ""
    return wait_for_operator(snapshot, Reason.NOT_ACCEPTED, now, f"The node shows no trace of the request{said}")


def member_already(snapshot: Snapshot, now: datetime) -> Decision | None:
    """Believe that the node was a member before us, when the POST and the look after it both want a sign-in. Row 27."""
    if snapshot.refusal in {401, 403} and not snapshot.earlier_unknown:
        message = "The node asks for a sign-in, for the request and for a look: it is in a cluster already"
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, message, status=snapshot.refusal)
    return None


def _followed(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, state=State.IN_PROGRESS, unconfirmed=True, unchanged_reads=0)


def _may_send_again(snapshot: Snapshot) -> bool:
    """Whether the one automatic resubmission is left, and nothing speaks against it."""
    return (
        snapshot.resubmits == 0
        and snapshot.conflict_at is None  # somebody else was, or is, at work there
        and not snapshot.new_fingerprint  # a node that has changed its certificate is not the idle one it says it is
    )


def _refusal(snapshot: Snapshot, now: datetime) -> Decision:
    status = snapshot.refusal
    if status in {404, 405}:
        return sending.unsupported(snapshot, status, now)
    if 300 <= status < 400:
        return sending.redirected(snapshot, status, now)
    message = f"The node did not take the request: it answered {answered(status, snapshot.answer)}"
    return fail(snapshot, Reason.REJECTED, now, message, status=status)


def _began_as_we_sent(snapshot: Snapshot, status: BootstrapStatus) -> bool:
    """Whether the start time lies between our intent and the 409, to the second in which nodes count. Row 25, (iii)."""
    try:
        began = datetime.fromisoformat(status.start_time or "")
    except ValueError:
        return False
    began = began if began.tzinfo else began.replace(tzinfo=UTC)
    sent, answered = snapshot.submit_intent_at, snapshot.conflict_at
    if sent is None or answered is None:
        return False
    return sent - timing.SEND_WINDOW < began <= answered
