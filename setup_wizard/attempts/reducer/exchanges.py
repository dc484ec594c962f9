"""Which exchange comes next, and whether the POST may be sent. Pure."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import NewEvent
from setup_wizard.attempts.reducer.snapshot import ACCESS_DENIED, Decision, Snapshot
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus


class Exchange(StrEnum):
    """One exchange: with the node, with the member, or without the network."""

    MEMBER = "member"  # the approved member of the cluster: what is its name?
    QUEUE = "queue"  # no network: is the cluster free?
    VALIDATE = "validate"  # the node: would it accept the request?
    SUBMIT = "submit"  # the node: baseline, intent, POST
    POLL = "poll"  # the node: what is the state of the bootstrap?
    CLUSTER = "cluster"  # the node, signed in: which cluster is it?
    NODES = "nodes"  # the node, signed in: is it on the cluster's list?


def next_exchange(snapshot: Snapshot) -> Exchange:
    """Give the next exchange of a moving attempt. Every tick does one."""
    if snapshot.has_used_its_tries and snapshot.may_ask_member:
        return Exchange.MEMBER
    match snapshot.state:
        case State.QUEUED:
            # first, because the cluster's name is also a key of the lock
            return Exchange.MEMBER if snapshot.asks_member and not snapshot.member_asked else Exchange.QUEUE
        case State.CHECKING:
            # once, and never after a POST: the validation would fail on a node that has started
            return Exchange.SUBMIT if snapshot.was_validated or snapshot.submits else Exchange.VALIDATE
        case State.VERIFYING if snapshot.asks_member:
            return Exchange.MEMBER
        case State.VERIFYING:
            return Exchange.NODES if snapshot.name_proved else Exchange.CLUSTER
    return Exchange.POLL


def may_sign_in(snapshot: Snapshot, now: datetime) -> bool:
    """Whether the next poll may send the credentials: the node wants them and has not just refused them."""
    if not snapshot.wants_sign_in or snapshot.not_ours:
        return False
    since = snapshot.refused_since
    return since is None or not since <= now < since + timing.SIGN_IN_RETRY_AFTER


def was_sign_in_refused(before: Snapshot, after: Snapshot) -> bool | None:
    """Whether the cluster refused the joining node's own sign-in; None when that is unknown."""
    if after.action is not Action.JOIN or after.not_ours:
        return None
    if after.reason in {Reason.NODE_ERROR, Reason.REJECTED, Reason.REDIRECTED, Reason.UNSUPPORTED_ACTION}:
        return after.error_code == ACCESS_DENIED
    joined = (after.wants_sign_in and not before.wants_sign_in) or after.state is State.VERIFYING is not before.state
    unsent = after.submits < before.submits or (after.state.is_final and not after.submits)
    return False if joined or unsent else None


def may_submit(snapshot: Snapshot, status: BootstrapStatus) -> bool:
    """Whether the baseline allows a POST: the node accepts a bootstrap and no earlier POST has changed it."""
    return status.state.accepts_bootstrap and not was_accepted(snapshot, status)


def was_accepted(snapshot: Snapshot, status: BootstrapStatus) -> bool:
    """Whether an earlier POST was accepted: the start time differs from the baseline of its intent."""
    return bool(snapshot.submit_intent_at and (status.start_time or "") != snapshot.baseline_start_time)


def intend(snapshot: Snapshot, baseline: BootstrapStatus, now: datetime) -> Decision:
    """Give the intent, which is committed before the POST may be sent."""
    # after a 409 or a refusal the outcome is known; otherwise the earlier POST may still arrive
    unknown = snapshot.submit_intent_at is not None and snapshot.not_accepted_at is None and not snapshot.refusal
    intended = replace(
        snapshot,
        state=State.SUBMITTING,
        baseline_state=baseline.word,
        baseline_start_time=baseline.start_time or "",
        submit_intent_at=now,
        submits=snapshot.submits + 1,
        settled_for=0.0,
        last_asked_at=now,
        earlier_unknown=snapshot.earlier_unknown or unknown,
        not_accepted_at=None,
        refusal=0,
        began=False,
        unconfirmed=False,
        accepted_start_time="",
        unchanged_reads=0,
        silent_since=None,
        silent_phase="",
        silent_error_text="",
        answer="",
        answer_status=0,
    )
    event = NewEvent("submitting", "Sending the request", {"baseline": baseline.word, "submits": intended.submits})
    return Decision(intended, (event,))
