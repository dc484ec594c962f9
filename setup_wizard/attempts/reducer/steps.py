"""What to do next, once: which exchange an attempt asks for, and whether its POST may leave. Pure."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import Note
from setup_wizard.attempts.reducer.standing import Outcome, Standing
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


def step(standing: Standing) -> Step:
    """Say what an attempt that moves asks for next. Every step is a tick of its own. Reference: D2."""
    if standing.doubts_credentials and standing.may_ask_member:
        return Step.MEMBER
    match standing.state:
        case State.QUEUED:
            # asked first, because the name is also a key of the lock
            return Step.MEMBER if standing.asks_member and not standing.member_asked else Step.QUEUE
        case State.CHECKING:
            # once, and never after a POST: older nodes cannot tell, and one that has begun would say something else
            return Step.SUBMIT if standing.was_checked or standing.submits else Step.CHECK
        case State.VERIFYING if standing.asks_member:
            return Step.MEMBER
        case State.VERIFYING:
            return Step.NODES if standing.name_proved else Step.CLUSTER
    return Step.LOOK


def may_sign_in(standing: Standing, now: datetime) -> bool:
    """Whether the next look may bring the sign-in: the node has wanted it, and has not refused it a moment ago."""
    if not standing.signs_in or standing.foreign:
        return False
    since = standing.refused_since
    return since is None or not since <= now < since + timing.SIGN_IN_AGAIN


def was_denied(before: Standing, after: Standing) -> bool | None:
    """Whether a join's cluster refused the sign-in that the node made by itself; None when that is not known."""
    if after.action is not Action.JOIN or after.foreign:
        return None
    if after.reason in {Reason.NODE_ERROR, Reason.REJECTED, Reason.REDIRECTED, Reason.UNSUPPORTED_ACTION}:
        return after.error_code == ACCESS_DENIED
    joined = (after.signs_in and not before.signs_in) or after.state is State.VERIFYING is not before.state
    unsent = after.submits < before.submits or (after.state.is_final and not after.submits)
    return False if joined or unsent else None


def may_submit(standing: Standing, status: BootstrapStatus) -> bool:
    """Whether the baseline just read allows the intent: the node takes a bootstrap, and no earlier POST changed it."""
    return status.state.accepts_bootstrap and not was_accepted(standing, status)


def was_accepted(standing: Standing, status: BootstrapStatus) -> bool:
    """Whether an earlier POST of unknown outcome shows: the start time moved away from that intent's baseline. D5."""
    return bool(standing.submit_intent_at and (status.start_time or "") != standing.baseline_start_time)


def intend(standing: Standing, baseline: BootstrapStatus, now: datetime) -> Outcome:
    """Say what is written before the POST may leave. Reference: D4."""
    # a 409 or a refusal that was looked into is an outcome; anything else leaves a POST that may still show
    unknown = standing.submit_intent_at is not None and standing.conflict_at is None and not standing.refusal
    intended = replace(
        standing,
        state=State.SUBMITTING,
        baseline_state=baseline.word,
        baseline_start_time=baseline.start_time or "",
        submit_intent_at=now,
        submits=standing.submits + 1,
        quiet=0.0,
        last_asked_at=now,
        earlier_unknown=standing.earlier_unknown or unknown,
        conflict_at=None,
        refusal=0,
        began=False,
        provisional=False,
        accepted_start_time="",
        unchanged_reads=0,
        silent_since=None,
        silent_phase="",
        silent_words="",
        answer="",
        answer_status=0,
    )
    note = Note("submitting", "Sending the request", {"baseline": baseline.word, "submits": intended.submits})
    return Outcome(intended, (note,))
