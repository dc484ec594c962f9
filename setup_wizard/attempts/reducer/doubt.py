"""Whose bootstrap it is, when the node's answer to our POST does not tell. Reference: D5, rows 20 to 27.

A node keeps one bootstrap and its start time. Compared with the baseline that was read just before the POST, they tell
whether something began since; no clocks have to agree for that. That it was ours is then likely, not certain: somebody
else could have started in the same moment. So what is adopted here is provisional, and only what the cluster says in
the end, asked with our sign-in, makes it a success.
"""

from dataclasses import replace
from datetime import UTC, datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import Note, answered
from setup_wizard.attempts.reducer import sending
from setup_wizard.attempts.reducer.standing import Outcome, Standing, fail, rest
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState


def adopted(standing: Standing, status: BootstrapStatus, now: datetime) -> Outcome | None:
    """Take what has begun since the baseline for ours, or let the operator judge it; None when nothing has begun."""
    if (status.start_time or "") == standing.baseline_start_time and not status.state.is_running:
        return None
    if standing.conflict_at is None or standing.earlier_unknown:
        note = Note("adopted", "The node had taken the request after all: a bootstrap has begun since it was sent")
        return Outcome(_followed(standing), (note,))
    if _began_as_we_sent(standing, status):
        message = (
            "It began as our request was sent, which may have arrived twice: only the cluster can tell whose it is"
        )
        return Outcome(_followed(standing), (Note("doubtful", message, {"start_time": status.start_time}),))
    return rest(
        replace(standing, node_state=status.word),
        Reason.FOREIGN_IN_PROGRESS,
        now,
        "The node refused: another bootstrap is in progress on it",
        node_state=status.word,
    )


def unchanged(standing: Standing, status: BootstrapStatus, now: datetime) -> Outcome:
    """Nothing has begun: believe a refusal at once, and the loss of the request after the quiet time. D5."""
    standing = replace(standing, state=State.UNKNOWN)
    if status.state is NodeState.COMPLETED:  # with the baseline's start time: row 39
        return fail(standing, Reason.ALREADY_IN_CLUSTER, now, "The node was in a cluster before the request reached it")
    if standing.refusal:
        return _refusal(standing, now)
    if not standing.is_quiet:
        return Outcome(standing, (), timing.UNKNOWN_LOOK)
    if standing.unchanged_reads + 1 < timing.UNCHANGED_READS:
        return Outcome(replace(standing, unchanged_reads=standing.unchanged_reads + 1), (), timing.UNKNOWN_LOOK)
    standing = replace(standing, unchanged_reads=0)
    if _may_send_again(standing):
        message = "The node shows no trace of the request, and it can no longer arrive: sending it once more"
        again = replace(standing, state=State.CHECKING, resubmits=standing.resubmits + 1)
        return Outcome(again, (Note("resubmitting", message, {"baseline": standing.baseline_state}),))
    said = f"; it answered {answered(standing.answer_status, standing.answer)}" if standing.answer_status else ""
    return rest(standing, Reason.NOT_ACCEPTED, now, f"The node shows no trace of the request{said}")


def member_already(standing: Standing, now: datetime) -> Outcome | None:
    """Believe that the node was a member before us, when the POST and the look after it both want a sign-in. Row 27."""
    if standing.refusal in {401, 403} and not standing.earlier_unknown:
        message = "The node asks for a sign-in, for the request and for a look: it is in a cluster already"
        return fail(standing, Reason.ALREADY_IN_CLUSTER, now, message, status=standing.refusal)
    return None


def _followed(standing: Standing) -> Standing:
    return replace(standing, state=State.IN_PROGRESS, provisional=True, unchanged_reads=0)


def _may_send_again(standing: Standing) -> bool:
    """Whether the one automatic resubmission is left, and nothing speaks against it."""
    return (
        standing.resubmits == 0
        and standing.conflict_at is None  # somebody else was, or is, at work there
        and not standing.new_fingerprint  # a node that has changed its certificate is not the idle one it says it is
    )


def _refusal(standing: Standing, now: datetime) -> Outcome:
    status = standing.refusal
    if status in {404, 405}:
        return sending.unsupported(standing, status, now)
    if 300 <= status < 400:
        return sending.redirected(standing, status, now)
    message = f"The node did not take the request: it answered {answered(status, standing.answer)}"
    return fail(standing, Reason.REJECTED, now, message, status=status)


def _began_as_we_sent(standing: Standing, status: BootstrapStatus) -> bool:
    """Whether the start time lies between our intent and the 409, to the second in which nodes count. Row 25, (iii)."""
    try:
        began = datetime.fromisoformat(status.start_time or "")
    except ValueError:
        return False
    began = began if began.tzinfo else began.replace(tzinfo=UTC)
    sent, answered = standing.submit_intent_at, standing.conflict_at
    if sent is None or answered is None:
        return False
    return sent - timing.SEND_WINDOW < began <= answered
