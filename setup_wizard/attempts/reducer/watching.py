"""From the POST to what the node itself says came of it. Rows 33 to 45 of docs/failure-modes.md."""

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
    StrangeCertificate,
)
from setup_wizard.attempts.reducer import refusals, unknown_outcome
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
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState


def look(snapshot: Snapshot, seen: Observation, now: datetime) -> Decision:
    """Judge one look at a node that may be at work on our request."""
    match seen:
        case Seen():
            return _answered(snapshot, seen, now)
        case SignInWanted():
            return _sign_in_wanted(snapshot, seen, now)
        case Forbidden(message=message):
            return wait_for_operator(snapshot, Reason.LOST_CONTACT, now, message)
        case Silent(phase=phase, words=words):
            return _quiet_node(snapshot, phase, now, words=words)
        case Misbehaved(detail=detail, status=status, words=words):
            return _quiet_node(snapshot, f"{HTTP}{status}" if status else "answer", now, detail, words)
        case Redirected(status=status):
            return _quiet_node(snapshot, f"{HTTP}{status}", now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def strange_certificate(snapshot: Snapshot, seen: StrangeCertificate, now: datetime) -> Decision:
    """Believe nothing that comes with it; accept it only where the operator said so in advance. Rows 8 and 37."""
    if snapshot.state is State.CHECKING and snapshot.submits:
        # an earlier POST may have made the node a member: judge its certificate as that of a node at work
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
            "The node made a new certificate, which was accepted in advance",
            {"old": snapshot.fingerprint, "new": seen.fingerprint, "certificate": dict(seen.certificate)},
        )
        return poll_again(accepted, now, event, at_once=True)
    return wait_for_operator(
        replace(snapshot, seen_certificate=seen.certificate),
        Reason.TRUST,
        now,
        "The node shows a certificate that nobody has approved",
        old=snapshot.new_fingerprint or snapshot.fingerprint,
        new=seen.fingerprint,
    )


def cluster_certificate(snapshot: Snapshot, fingerprint: str) -> tuple[Snapshot, tuple[NewEvent, ...]]:
    """Note the moment in which a joining node first shows its cluster's certificate."""
    if snapshot.new_fingerprint or not fingerprint or fingerprint in {snapshot.fingerprint, snapshot.new_fingerprint}:
        return snapshot, ()
    event = NewEvent(
        "certificate_replaced",
        "The node shows the cluster's certificate now",
        {"old": snapshot.fingerprint, "new": fingerprint},
    )
    return replace(snapshot, new_fingerprint=fingerprint), (event,)


def _answered(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    if seen.signed_in:
        snapshot = replace(snapshot, refused_since=None, refused_sign_ins=0)
    snapshot, heard = end_silence(snapshot, now)
    snapshot, swapped = cluster_certificate(snapshot, seen.fingerprint)
    events = heard + swapped
    if snapshot.not_ours:
        decision = _foreign(snapshot, seen.status, now)
    elif snapshot.state in {State.SUBMITTING, State.UNKNOWN}:
        decision = _whose(snapshot, seen, now)
    else:
        decision = _progress(snapshot, seen, now)
    return Decision(decision.snapshot, events + decision.events, decision.wait)


def _whose(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Find out by looking whether our POST was accepted. Reference: D5, rows 20 to 27."""
    adopted = unknown_outcome.attributed(snapshot, seen.status, now)
    if adopted is None:
        return unknown_outcome.unchanged(snapshot, seen.status, now)
    if adopted.snapshot.state is not State.IN_PROGRESS:
        return adopted
    decision = _progress(adopted.snapshot, seen, now)
    return Decision(decision.snapshot, adopted.events + decision.events, decision.wait)


def _progress(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Follow a bootstrap that the node has taken."""
    status = seen.status
    start_time = status.start_time or ""
    changed = start_time != snapshot.baseline_start_time
    if snapshot.began and changed and start_time and start_time != snapshot.accepted_start_time:
        return wait_for_operator(
            snapshot, Reason.SUPERSEDED, now, "Somebody has started another bootstrap on the node since"
        )
    if not snapshot.began and (changed or status.state.is_running):
        snapshot = replace(snapshot, began=True, accepted_start_time=start_time)
    same_word = status.word == snapshot.node_state
    snapshot, events = _new_word(snapshot, status)
    if not snapshot.began:
        decision = _not_begun(snapshot, status, now, same_word=same_word)
    elif start_time != snapshot.accepted_start_time or status.state is NodeState.IDLE:
        decision = _gone(snapshot, now, same_word=same_word)
    elif status.state is NodeState.COMPLETED:
        decision = _completed(snapshot, seen, now)
    elif status.state is NodeState.ERROR:
        decision = _error(snapshot, status, now)
    else:
        decision = poll_again(_calm(snapshot), now)
    return Decision(decision.snapshot, events + decision.events, decision.wait)


def _calm(snapshot: Snapshot) -> Snapshot:
    """Forget half-believed ends: the node is at work."""
    return replace(snapshot, idle_reads=0, error_since=None, error_code="", error_details=None)


def _completed(snapshot: Snapshot, seen: Seen, now: datetime) -> Decision:
    """Ask the cluster itself: that the node says `completed` is no proof of whose bootstrap it was. Row 38."""
    event = NewEvent("verifying", "The node says completed: asking its cluster, signed in, whether it is the right one")
    verifying = replace(
        _calm(snapshot), state=State.VERIFYING, wants_sign_in=True, node_uid=seen.uid, name_proved=False, listed_as=""
    )
    return poll_again(verifying, now, event, at_once=True)


def _not_begun(snapshot: Snapshot, status: BootstrapStatus, now: datetime, *, same_word: bool) -> Decision:
    """Accepted a moment ago, and the node still shows what it was before. Rows 39 and 42."""
    if status.state is NodeState.COMPLETED:
        return fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The node was in a cluster before the request reached it")
    if not snapshot.is_settled:
        return poll_again(snapshot, now)
    return _gone(snapshot, now, same_word=same_word)


def _error(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision:
    """Believe `error` when two equal looks are far enough apart: a node may retry by itself. Row 40."""
    code, details = status.error_code or "", status.error_details
    if snapshot.error_since is None or snapshot.error_since > now or snapshot.error_code != code:
        seen_once = replace(snapshot, error_since=now, error_code=code, error_details=details)
        return Decision(seen_once, (), timing.ERROR_READS_APART.total_seconds())
    if (now - snapshot.error_since).total_seconds() < snapshot.error_patience:
        return Decision(snapshot, (), timing.poll_interval(snapshot.age(now)))
    if snapshot.is_unconfirmed:
        # an error proves nothing about whose it was, and there is nothing else left to ask
        unknown = replace(_calm(snapshot), not_ours=True)
        return fail(unknown, Reason.FOREIGN_FAILED, now, "The bootstrap that came before ours has ended with an error")
    final = replace(snapshot, error_details=details)
    return fail(
        final,
        Reason.NODE_ERROR,
        now,
        f"The node ended with {code or 'an error without a code'}",
        error_code=code,
        unconfirmed=snapshot.unconfirmed,
    )


def _gone(snapshot: Snapshot, now: datetime, *, same_word: bool) -> Decision:
    """Believe that the node was reset after three equal looks. Row 42."""
    reads = snapshot.idle_reads + 1 if same_word and snapshot.idle_reads else 1
    if reads < timing.RESET_READS:
        return poll_again(replace(snapshot, idle_reads=reads, error_since=None), now)
    return fail(
        snapshot, Reason.NODE_RESET, now, "The bootstrap is gone from the node: it was restarted or reset on the way"
    )


def _foreign(snapshot: Snapshot, status: BootstrapStatus, now: datetime) -> Decision:
    """Follow a bootstrap that is not ours, only to say how it ended."""
    snapshot, events = _new_word(snapshot, status)
    match status.state:
        case NodeState.COMPLETED:
            decision = fail(snapshot, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap has completed")
        case NodeState.ERROR | NodeState.IDLE:
            decision = fail(snapshot, Reason.FOREIGN_FAILED, now, "The other bootstrap has ended without success")
        case _:
            decision = poll_again(snapshot, now)
    return Decision(decision.snapshot, events + decision.events, decision.wait)


def _sign_in_wanted(snapshot: Snapshot, seen: SignInWanted, now: datetime) -> Decision:
    """401 begins in the middle of a bootstrap: the node has joined an active cluster. Row 36."""
    snapshot, events = end_silence(snapshot, now)
    snapshot, swapped = cluster_certificate(snapshot, seen.fingerprint)
    events += swapped
    if snapshot.not_ours:
        return fail(
            snapshot, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap has made the node a member of a cluster"
        )
    if snapshot.state is State.UNKNOWN and (already := unknown_outcome.member_already(snapshot, now)):
        return already
    if seen.signed_in:
        return refusals.refused(replace(snapshot, answer=seen.words, answer_status=seen.status), now, *events)
    if snapshot.wants_sign_in:  # asked without the sign-in, while a refused one is not tried again yet
        return poll_again(snapshot, now, *events)
    event = NewEvent("sign_in_wanted", "The node asks for the sign-in now: it is becoming a member")
    return poll_again(replace(snapshot, wants_sign_in=True), now, *events, event, at_once=True)


def _quiet_node(snapshot: Snapshot, phase: str, now: datetime, detail: str = "", words: str = "") -> Decision:
    """Keep the state while a node restarts its services. Rows 34 and 35."""
    since = snapshot.silent_since
    message = "No usable answer: the node may be restarting its services"
    silent, events = note_silence(snapshot, phase, now, message, words)
    if detail and events:
        events = (replace(events[0], data={**events[0].data, "detail": detail}),)
    if since and not snapshot.silence_reported and now - since >= timing.SILENCE_REPORTED_AFTER:
        silent = replace(silent, silence_reported=True)
        minutes = round(timing.SILENCE_REPORTED_AFTER.total_seconds() / 60)
        events = (NewEvent("still_silent", f"No usable answer for {minutes} minutes: still asking", {"phase": phase}),)
    # silence breaks a run of equal reads, and it never counts as "unchanged"
    return poll_again(replace(silent, unchanged_reads=0, idle_reads=0), now, *events)


def _new_word(snapshot: Snapshot, status: BootstrapStatus) -> tuple[Snapshot, tuple[NewEvent, ...]]:
    """Write down a state of the node that it did not show at the last look."""
    if status.word == snapshot.node_state:
        return snapshot, ()
    event = NewEvent("node_state", f"The node says {status.word}", {"node_state": status.word})
    return replace(snapshot, node_state=status.word), (event,)
