"""From the POST to the node's own result."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import (
    Forbidden,
    Misbehaved,
    NewEvent,
    Observation,
    Redirected,
    Seen,
    SignInWanted,
    Silent,
    UnapprovedCertificate,
)
from setup_wizard.attempts.reducer import refusals, unknown_outcome
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
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus, BootstrapWarning, NodeState


def after_post(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    """Handle one poll of a node that may be running our request."""
    match seen:
        case Seen():
            return _answered(snapshot, seen, now)
        case SignInWanted():
            return _sign_in_wanted(snapshot, seen, now)
        case Forbidden(message=message):
            return address_forbidden(snapshot, message, now)
        case Silent(phase=phase, error_text=error_text):
            return _no_answer(snapshot, phase, now, error_text=error_text)
        case Misbehaved(detail=detail, status=status, error_text=error_text):
            return _no_answer(snapshot, f"{HTTP}{status}" if status else "answer", now, detail, error_text)
        case Redirected(status=status):
            return _no_answer(snapshot, f"{HTTP}{status}", now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def unapproved_certificate(snapshot: Snapshot, seen: UnapprovedCertificate, now: datetime) -> Decision:
    """Wait for the operator, unless they accepted the one new certificate of a bootstrap in advance."""
    if snapshot.state is State.CHECKING and snapshot.submits:
        # an earlier POST may have made the node a member, which changes its certificate
        snapshot = replace(snapshot, state=State.UNKNOWN)
        if snapshot.action is Action.JOIN and seen.fingerprint == snapshot.member_fingerprint:
            return poll_again(snapshot, now, at_once=True)
    swap = (
        snapshot.watches
        and snapshot.action is not Action.JOIN
        and snapshot.accept_new_certificate
        and not snapshot.new_fingerprint
        and not snapshot.not_ours
        and not snapshot.is_refused
    )
    if swap:
        accepted = replace(snapshot, new_fingerprint=seen.fingerprint)
        event = NewEvent(
            "certificate_replaced",
            "The node created a new certificate, which was accepted in advance",
            {"old": snapshot.fingerprint, "new": seen.fingerprint, "certificate": dict(seen.certificate)},
        )
        return poll_again(accepted, now, event, at_once=True)
    return wait_for_operator(
        replace(snapshot, seen_certificate=seen.certificate),
        Reason.TRUST,
        now,
        "The node shows a certificate that is not approved",
        old=snapshot.new_fingerprint or snapshot.fingerprint,
        new=seen.fingerprint,
    )


def cluster_certificate(snapshot: Snapshot, fingerprint: str) -> tuple[Snapshot, tuple[NewEvent, ...]]:
    """Record that a joining node shows its cluster's certificate for the first time."""
    if snapshot.new_fingerprint or not fingerprint or fingerprint in {snapshot.fingerprint, snapshot.new_fingerprint}:
        return snapshot, ()
    event = NewEvent(
        "certificate_replaced",
        "The node now shows the cluster's certificate",
        {"old": snapshot.fingerprint, "new": fingerprint},
    )
    return replace(snapshot, new_fingerprint=fingerprint), (event,)


def _answered(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    if seen.signed_in:
        snapshot = replace(snapshot, refused_since=None, refused_sign_ins=0)
    snapshot, silence_ended = end_silence(snapshot, now)
    snapshot, swapped = cluster_certificate(snapshot, seen.fingerprint)
    events = silence_ended + swapped
    if snapshot.not_ours:
        decision = _watch_other(snapshot, seen.status, now)
    elif snapshot.state in {State.SUBMITTING, State.UNKNOWN}:
        decision = _find_owner(snapshot, seen, now)
    else:
        decision = _progress(snapshot, seen, now)
    return Decision(decision.snapshot, events + decision.events, decision.wait)


def _find_owner(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Find out by polling whether our POST was accepted."""
    found = unknown_outcome.attributed(snapshot, seen.status, now)
    if found is None:
        return unknown_outcome.unchanged(snapshot, seen.status, now)
    if found.snapshot.state is not State.IN_PROGRESS:
        return found
    decision = _progress(found.snapshot, seen, now)
    return Decision(decision.snapshot, found.events + decision.events, decision.wait)


def _progress(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Watch a bootstrap that the node accepted."""
    status = seen.status
    start_time = status.start_time or ""
    changed = start_time != snapshot.baseline_start_time
    if snapshot.began and changed and start_time and start_time != snapshot.accepted_start_time:
        return wait_for_operator(snapshot, Reason.SUPERSEDED, now, "Someone has started another bootstrap on the node")
    if not snapshot.began and (changed or status.state.is_running):
        snapshot = replace(snapshot, began=True, accepted_start_time=start_time)
    same_state = status.word == snapshot.node_state
    snapshot, events = _new_state(snapshot, status)
    if not snapshot.began:
        decision = _not_begun(snapshot, status, now, same_state=same_state)
    elif start_time != snapshot.accepted_start_time or status.state is NodeState.IDLE:
        decision = _gone(snapshot, now, same_state=same_state)
    elif status.state is NodeState.COMPLETED:
        decision = _completed(snapshot, seen, now)
    elif status.state is NodeState.ERROR:
        decision = _error(snapshot, status, now)
    else:
        decision = poll_again(_running(snapshot), now)
    return Decision(decision.snapshot, events + decision.events, decision.wait)


def _running(snapshot: Snapshot) -> Snapshot:
    """The node is running: forget an error or an idle state that was seen only once."""
    return replace(snapshot, idle_reads=0, error_since=None, error_code="", error_details=None)


def _completed(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Ask the cluster: `completed` does not prove whose bootstrap it was."""
    event = NewEvent("verifying", "The node reports completed. Checking with the cluster")
    verifying = replace(
        _running(snapshot),
        state=State.VERIFYING,
        wants_sign_in=True,
        node_uid=seen.uid,
        name_proved=False,
        listed_as="",
    )
    return poll_again(verifying, now, *map(_warning, seen.status.warnings), event, at_once=True)


def _warning(warning: BootstrapWarning) -> NewEvent:
    """Report what the node's bootstrap went on without."""
    what = f"did not install the module {warning.module}" if warning.module else "reports a warning"
    said = warning.message or warning.kind
    data = {"warning_type": warning.kind, "message": warning.message, "module": warning.module}
    return NewEvent("bootstrap_warning", f"The node {what}: “{said}”", data)


def _not_begun(snapshot: Snapshot, status: BootstrapStatus, now: datetime, *, same_state: bool) -> Decision:
    """Handle a node that still shows its old state after it accepted the request."""
    if status.state is NodeState.COMPLETED:
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The node joined a cluster before it got the request")
    if not snapshot.is_settled:
        return poll_again(snapshot, now)
    return _gone(snapshot, now, same_state=same_state)


def _error(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision:
    """Fail when two equal errors are far enough apart: a node may retry by itself."""
    code, details = status.error_code or "", status.error_details
    if snapshot.error_since is None or snapshot.error_since > now or snapshot.error_code != code:
        seen_once = replace(snapshot, error_since=now, error_code=code, error_details=details)
        return Decision(seen_once, (), timing.ERROR_READS_APART.total_seconds())
    if (now - snapshot.error_since).total_seconds() < snapshot.error_patience:
        return Decision(snapshot, (), timing.poll_interval(snapshot.age(now)))
    if snapshot.is_followed_after_refusal:
        # an error does not show whose bootstrap it was
        unknown = replace(_running(snapshot), not_ours=True)
        return fail(unknown, Reason.FOREIGN_FAILED, now, "Another bootstrap on the node ended with an error")
    final = replace(snapshot, error_details=details)
    return fail(
        final,
        Reason.NODE_ERROR,
        now,
        f"The node reported {code or 'an error without a code'}",
        error_code=code,
        unconfirmed=snapshot.unconfirmed,
    )


def _gone(snapshot: Snapshot, now: datetime, *, same_state: bool) -> Decision:
    """Fail after three equal polls: the node was reset."""
    reads = snapshot.idle_reads + 1 if same_state and snapshot.idle_reads else 1
    if reads < timing.RESET_READS:
        return poll_again(replace(snapshot, idle_reads=reads, error_since=None), now)
    return fail(
        snapshot, Reason.NODE_RESET, now, "The node was restarted or reset. It no longer reports that bootstrap"
    )


def _watch_other(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision:
    """Watch a bootstrap that is not ours, only to report how it ended."""
    snapshot, events = _new_state(snapshot, status)
    match status.state:
        case NodeState.COMPLETED:
            decision = fail(
                snapshot, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap completed. The node is in a cluster"
            )
        case NodeState.ERROR | NodeState.IDLE:
            decision = fail(snapshot, Reason.FOREIGN_FAILED, now, "The other bootstrap failed")
        case _:
            decision = poll_again(snapshot, now)
    return Decision(decision.snapshot, events + decision.events, decision.wait)


def _sign_in_wanted(snapshot: Snapshot, seen: SignInWanted, now: datetime) -> Decision:
    """Handle a 401 during a bootstrap: the node has joined an active cluster."""
    snapshot, events = end_silence(snapshot, now)
    snapshot, swapped = cluster_certificate(snapshot, seen.fingerprint)
    events += swapped
    if snapshot.not_ours:
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap completed. The node is in a cluster")
    if snapshot.state is State.UNKNOWN and (already := unknown_outcome.member_already(snapshot, now)):
        return already
    if seen.signed_in:
        return refusals.refused(replace(snapshot, answer=seen.error_text, answer_status=seen.status), now, *events)
    if snapshot.wants_sign_in:  # polled without credentials until refused ones may be tried again
        return poll_again(snapshot, now, *events)
    event = NewEvent("sign_in_wanted", "The node now asks for credentials")
    return poll_again(replace(snapshot, wants_sign_in=True), now, *events, event, at_once=True)


def _no_answer(snapshot: Snapshot, phase: str, now: datetime, detail: str = "", error_text: str = "") -> Decision:
    """Keep polling while the node restarts its services."""
    since = snapshot.silent_since
    message = "No usable answer. The node may be restarting its services"
    silent, events = note_silence(snapshot, phase, now, message, error_text)
    if detail and events:
        events = (replace(events[0], data={**events[0].data, "detail": detail}),)
    if since and not snapshot.silence_reported and now - since >= timing.SILENCE_REPORTED_AFTER:
        silent = replace(silent, silence_reported=True)
        minutes = round(timing.SILENCE_REPORTED_AFTER.total_seconds() / 60)
        events = (NewEvent("still_silent", f"No usable answer for {minutes} minutes. Still polling", {"phase": phase}),)
    # equal reads must follow each other directly, and silence never counts as "unchanged"
    return poll_again(replace(silent, unchanged_reads=0, idle_reads=0), now, *events)


def _new_state(snapshot: Snapshot, status: BootstrapStatus) -> tuple[Snapshot, tuple[NewEvent, ...]]:
    """Record a state of the node that is new since the last poll."""
    if status.word == snapshot.node_state:
        return snapshot, ()
    event = NewEvent("node_state", f"Node status: {status.word}", {"node_state": status.word})
    return replace(snapshot, node_state=status.word), (event,)
