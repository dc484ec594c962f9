"""From the POST to what the node itself says came of it. Rows 33 to 45 of docs/failure-modes.md."""

from dataclasses import replace
from datetime import datetime

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import (
    Forbidden,
    Misbehaved,
    Note,
    Observation,
    Redirected,
    Seen,
    SignInWanted,
    Silent,
    StrangeCertificate,
)
from setup_wizard.attempts.reducer import doubt, refusals
from setup_wizard.attempts.reducer.standing import HTTP, Outcome, Standing, fail, go_on, heard_again, rest, went_silent
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState


def look(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    """Judge one look at a node that may be at work on our request."""
    match seen:
        case Seen():
            return _answered(standing, seen, now)
        case SignInWanted():
            return _sign_in_wanted(standing, seen, now)
        case Forbidden(message=message):
            return rest(standing, Reason.LOST_CONTACT, now, message)
        case Silent(phase=phase, words=words):
            return _quiet_node(standing, phase, now, words=words)
        case Misbehaved(detail=detail, status=status, words=words):
            return _quiet_node(standing, f"{HTTP}{status}" if status else "answer", now, detail, words)
        case Redirected(status=status):
            return _quiet_node(standing, f"{HTTP}{status}", now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def strange_certificate(standing: Standing, seen: StrangeCertificate, now: datetime) -> Outcome:
    """Believe nothing that comes with it; accept it only where the operator said so in advance. Rows 8 and 37."""
    if standing.state is State.CHECKING and standing.submits:
        # an earlier POST may have made the node a member: judge its certificate as that of a node at work
        standing = replace(standing, state=State.UNKNOWN)
        if standing.action is Action.JOIN and seen.fingerprint == standing.member_fingerprint:
            return go_on(standing, now, at_once=True)
    swap = (
        standing.watches
        and standing.action is not Action.JOIN
        and standing.accept_new_certificate
        and not standing.new_fingerprint
        and not standing.foreign
        and not standing.is_refused
    )
    if swap:
        accepted = replace(standing, new_fingerprint=seen.fingerprint)
        note = Note(
            "certificate_replaced",
            "The node made a new certificate, which was accepted in advance",
            {"old": standing.fingerprint, "new": seen.fingerprint, "certificate": dict(seen.certificate)},
        )
        return go_on(accepted, now, note, at_once=True)
    return rest(
        replace(standing, seen_certificate=seen.certificate),
        Reason.TRUST,
        now,
        "The node shows a certificate that nobody has approved",
        old=standing.new_fingerprint or standing.fingerprint,
        new=seen.fingerprint,
    )


def cluster_certificate(standing: Standing, fingerprint: str) -> tuple[Standing, tuple[Note, ...]]:
    """Note the moment in which a joining node first shows its cluster's certificate."""
    if standing.new_fingerprint or not fingerprint or fingerprint in {standing.fingerprint, standing.new_fingerprint}:
        return standing, ()
    note = Note(
        "certificate_replaced",
        "The node shows the cluster's certificate now",
        {"old": standing.fingerprint, "new": fingerprint},
    )
    return replace(standing, new_fingerprint=fingerprint), (note,)


def _answered(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    if seen.signed_in:
        standing = replace(standing, refused_since=None, refused_sign_ins=0)
    standing, heard = heard_again(standing, now)
    standing, swapped = cluster_certificate(standing, seen.fingerprint)
    notes = heard + swapped
    if standing.foreign:
        outcome = _foreign(standing, seen.status, now)
    elif standing.state in {State.SUBMITTING, State.UNKNOWN}:
        outcome = _whose(standing, seen, now)
    else:
        outcome = _progress(standing, seen, now)
    return Outcome(outcome.standing, notes + outcome.notes, outcome.wait)


def _whose(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    """Find out by looking whether our POST was accepted. Reference: D5, rows 20 to 27."""
    adopted = doubt.adopted(standing, seen.status, now)
    if adopted is None:
        return doubt.unchanged(standing, seen.status, now)
    if adopted.standing.state is not State.IN_PROGRESS:
        return adopted
    outcome = _progress(adopted.standing, seen, now)
    return Outcome(outcome.standing, adopted.notes + outcome.notes, outcome.wait)


def _progress(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    """Follow a bootstrap that the node has taken."""
    status = seen.status
    start_time = status.start_time or ""
    changed = start_time != standing.baseline_start_time
    if standing.began and changed and start_time and start_time != standing.accepted_start_time:
        return rest(standing, Reason.SUPERSEDED, now, "Somebody has started another bootstrap on the node since")
    if not standing.began and (changed or status.state.is_running):
        standing = replace(standing, began=True, accepted_start_time=start_time)
    same_word = status.word == standing.node_state
    standing, notes = _new_word(standing, status)
    if not standing.began:
        outcome = _not_begun(standing, status, now, same_word=same_word)
    elif start_time != standing.accepted_start_time or status.state is NodeState.IDLE:
        outcome = _gone(standing, now, same_word=same_word)
    elif status.state is NodeState.COMPLETED:
        outcome = _completed(standing, seen, now)
    elif status.state is NodeState.ERROR:
        outcome = _error(standing, status, now)
    else:
        outcome = go_on(_calm(standing), now)
    return Outcome(outcome.standing, notes + outcome.notes, outcome.wait)


def _calm(standing: Standing) -> Standing:
    """Forget half-believed ends: the node is at work."""
    return replace(standing, idle_reads=0, error_since=None, error_code="", error_details=None)


def _completed(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    """Ask the cluster itself: that the node says `completed` is no proof of whose bootstrap it was. Row 38."""
    note = Note("verifying", "The node says completed: asking its cluster, signed in, whether it is the right one")
    verifying = replace(
        _calm(standing), state=State.VERIFYING, signs_in=True, node_uid=seen.uid, name_proved=False, listed_as=""
    )
    return go_on(verifying, now, note, at_once=True)


def _not_begun(standing: Standing, status: BootstrapStatus, now: datetime, *, same_word: bool) -> Outcome:
    """Accepted a moment ago, and the node still shows what it was before. Rows 39 and 42."""
    if status.state is NodeState.COMPLETED:
        return fail(standing, Reason.ALREADY_IN_CLUSTER, now, "The node was in a cluster before the request reached it")
    if not standing.is_quiet:
        return go_on(standing, now)
    return _gone(standing, now, same_word=same_word)


def _error(standing: Standing, status: BootstrapStatus, now: datetime) -> Outcome:
    """Believe `error` when two equal looks are far enough apart: a node may retry by itself. Row 40."""
    code, details = status.error_code or "", status.error_details
    if standing.error_since is None or standing.error_since > now or standing.error_code != code:
        seen_once = replace(standing, error_since=now, error_code=code, error_details=details)
        return Outcome(seen_once, (), timing.ERROR_READS_APART.total_seconds())
    if (now - standing.error_since).total_seconds() < standing.error_patience:
        return Outcome(standing, (), timing.poll_interval(standing.age(now)))
    if standing.is_doubtful:
        # an error proves nothing about whose it was, and there is nothing else left to ask
        unknown = replace(_calm(standing), foreign=True)
        return fail(unknown, Reason.FOREIGN_FAILED, now, "The bootstrap that came before ours has ended with an error")
    final = replace(standing, error_details=details)
    return fail(
        final,
        Reason.NODE_ERROR,
        now,
        f"The node ended with {code or 'an error without a code'}",
        error_code=code,
        provisional=standing.provisional,
    )


def _gone(standing: Standing, now: datetime, *, same_word: bool) -> Outcome:
    """Believe that the node was reset after three equal looks. Row 42."""
    reads = standing.idle_reads + 1 if same_word and standing.idle_reads else 1
    if reads < timing.RESET_READS:
        return go_on(replace(standing, idle_reads=reads, error_since=None), now)
    return fail(
        standing, Reason.NODE_RESET, now, "The bootstrap is gone from the node: it was restarted or reset on the way"
    )


def _foreign(standing: Standing, status: BootstrapStatus, now: datetime) -> Outcome:
    """Follow a bootstrap that is not ours, only to say how it ended."""
    standing, notes = _new_word(standing, status)
    match status.state:
        case NodeState.COMPLETED:
            outcome = fail(standing, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap has completed")
        case NodeState.ERROR | NodeState.IDLE:
            outcome = fail(standing, Reason.FOREIGN_FAILED, now, "The other bootstrap has ended without success")
        case _:
            outcome = go_on(standing, now)
    return Outcome(outcome.standing, notes + outcome.notes, outcome.wait)


def _sign_in_wanted(standing: Standing, seen: SignInWanted, now: datetime) -> Outcome:
    """401 begins in the middle of a bootstrap: the node has joined an active cluster. Row 36."""
    standing, notes = heard_again(standing, now)
    standing, swapped = cluster_certificate(standing, seen.fingerprint)
    notes += swapped
    if standing.foreign:
        return fail(
            standing, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap has made the node a member of a cluster"
        )
    if standing.state is State.UNKNOWN and (already := doubt.member_already(standing, now)):
        return already
    if seen.signed_in:
        return refusals.refused(replace(standing, answer=seen.words, answer_status=seen.status), now, *notes)
    if standing.signs_in:  # asked without the sign-in, while a refused one is not tried again yet
        return go_on(standing, now, *notes)
    note = Note("sign_in_wanted", "The node asks for the sign-in now: it is becoming a member")
    return go_on(replace(standing, signs_in=True), now, *notes, note, at_once=True)


def _quiet_node(standing: Standing, phase: str, now: datetime, detail: str = "", words: str = "") -> Outcome:
    """Keep the state while a node restarts its services. Rows 34 and 35."""
    since = standing.silent_since
    message = "No usable answer: the node may be restarting its services"
    silent, notes = went_silent(standing, phase, now, message, words)
    if detail and notes:
        notes = (replace(notes[0], data={**notes[0].data, "detail": detail}),)
    if since and not standing.silence_told and now - since >= timing.SILENCE_TOLD_AGAIN:
        silent = replace(silent, silence_told=True)
        minutes = round(timing.SILENCE_TOLD_AGAIN.total_seconds() / 60)
        notes = (Note("still_silent", f"No usable answer for {minutes} minutes: still asking", {"phase": phase}),)
    # silence breaks a run of equal reads, and it never counts as "unchanged"
    return go_on(replace(silent, unchanged_reads=0, idle_reads=0), now, *notes)


def _new_word(standing: Standing, status: BootstrapStatus) -> tuple[Standing, tuple[Note, ...]]:
    """Write down a state of the node that it did not show at the last look."""
    if status.word == standing.node_state:
        return standing, ()
    note = Note("node_state", f"The node says {status.word}", {"node_state": status.word})
    return replace(standing, node_state=status.word), (note,)
