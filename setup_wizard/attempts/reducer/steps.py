"""What to do next, once: which exchange an attempt asks for, and whether its POST may leave. Pure."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import NewEvent
from setup_wizard.attempts.reducer.snapshot import Decision, Snapshot
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus

ACCESS_DENIED = "access_denied"  # a joining node's code when the cluster refuses its credentials


class Step(StrEnum):
    """One exchange, and with whom."""

    MEMBER = "member"  # the approved member of the cluster: what is its name?
    QUEUE = "queue"  # nobody: is the cluster free?
    CHECK = "check"  # the node: is the request one that it would take?
    SUBMIT = "submit"  # the node: baseline, intent, POST
    LOOK = "look"  # the node: where does the bootstrap stand?
    CLUSTER = "cluster"  # the node, signed in: which cluster is it?
    NODES = "nodes"  # the node, signed in: is it on the cluster's list?


def step(snapshot: Snapshot) -> Step:
    """Say what an attempt that moves asks for next. Every step is a tick of its own. Reference: D2."""
    if snapshot.doubts_credentials and snapshot.may_ask_member:
        return Step.MEMBER
    match snapshot.state:
        case State.QUEUED:
            # asked first, because the name is also a key of the lock
            return Step.MEMBER if snapshot.asks_member and not snapshot.member_asked else Step.QUEUE
        case State.CHECKING:
            # once, and never after a POST: older nodes cannot tell, and one that has begun would say something else
            return Step.SUBMIT if snapshot.was_validated or snapshot.submits else Step.CHECK
        case State.VERIFYING if snapshot.asks_member:
            return Step.MEMBER
        case State.VERIFYING:
            return Step.NODES if snapshot.name_proved else Step.CLUSTER
    return Step.LOOK


def may_sign_in(snapshot: Snapshot, now: datetime) -> bool:
    """Whether the next look may bring the sign-in: the node has wanted it, and has not refused it a moment ago."""
    if not snapshot.wants_sign_in or snapshot.not_ours:
        return False
    since = snapshot.refused_since
    return since is None or not since <= now < since + timing.SIGN_IN_RETRY_AFTER


def was_denied(before: Snapshot, after: Snapshot) -> bool | None:
    """Whether a join's cluster refused the sign-in that the node made by itself; None when that is not known."""
    if after.action is not Action.JOIN or after.not_ours:
        return None
    if after.reason in {Reason.NODE_ERROR, Reason.REJECTED, Reason.REDIRECTED, Reason.UNSUPPORTED_ACTION}:
        return after.error_code == ACCESS_DENIED
    joined = (after.wants_sign_in and not before.wants_sign_in) or after.state is State.VERIFYING is not before.state
    unsent = after.submits < before.submits or (after.state.is_final and not after.submits)
    return False if joined or unsent else None


def may_submit(snapshot: Snapshot, status: BootstrapStatus) -> bool:
    """Whether the baseline just read allows the intent: the node takes a bootstrap, and no earlier POST changed it."""
    return status.state.accepts_bootstrap and not was_accepted(snapshot, status)


def was_accepted(snapshot: Snapshot, status: BootstrapStatus) -> bool:
    """Whether an earlier POST of unknown decision shows: the start time moved away from that intent's baseline. D5."""
    return bool(snapshot.submit_intent_at and (status.start_time or "") != snapshot.baseline_start_time)


def intend(snapshot: Snapshot, baseline: BootstrapStatus, now: datetime) -> Decision:
    """Say what is written before the POST may leave. Reference: D4."""
    # a 409 or a refusal that was looked into is an decision; anything else leaves a POST that may still show
    unknown = snapshot.submit_intent_at is not None and snapshot.conflict_at is None and not snapshot.refusal
    intended = replace(
        snapshot,
        state=State.SUBMITTING,
        baseline_state=baseline.word,
        baseline_start_time=baseline.start_time or "",
        submit_intent_at=now,
        submits=snapshot.submits + 1,
        settle_time=0.0,
        last_asked_at=now,
        earlier_unknown=snapshot.earlier_unknown or unknown,
        conflict_at=None,
        refusal=0,
        began=False,
        unconfirmed=False,
        accepted_start_time="",
        unchanged_reads=0,
        silent_since=None,
        silent_phase="",
        silent_words="",
        answer="",
        answer_status=0,
    )
    event = NewEvent("submitting", "Sending the request", {"baseline": baseline.word, "submits": intended.submits})
    return Decision(intended, (event,))
