"""From the POST to a verdict. Rows 33 to 45 of docs/failure-modes.md."""

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
from setup_wizard.attempts.reducer.standing import Outcome, Standing, end, fail, go_on, heard_again, rest, went_silent
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import State as NodeState
from setup_wizard.bootstrap.status import Status

UNKNOWN_LOOK_SECONDS = 1.0


def look(standing: Standing, seen: Observation, now: datetime) -> Outcome:
    """Judge one look at a node that may be at work on our request."""
    match seen:
        case Seen():
            return _answered(standing, seen, now)
        case SignInWanted():
            return _sign_in_wanted(standing, seen, now)
        case Forbidden(message=message):
            return rest(standing, Reason.LOST_CONTACT, now, message)
        case Silent(phase=phase):
            return _quiet_node(standing, phase, now)
        case Misbehaved(detail=detail):
            return _quiet_node(standing, "answer", now, detail)
        case Redirected(status=status):
            return _quiet_node(standing, f"HTTP {status}", now)
    raise TypeError(f"no rule for {type(seen).__name__} after the POST")


def strange_certificate(standing: Standing, seen: StrangeCertificate, now: datetime) -> Outcome:
    """Believe nothing that comes with it; accept it only where the operator said so in advance. Rows 8 and 37."""
    swap = (
        standing.may_have_sent
        and standing.action is not Action.JOIN
        and standing.accept_new_certificate
        and not standing.new_fingerprint
        and not standing.foreign
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


def _answered(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    standing, heard = heard_again(replace(standing, refused_since=None), now)
    standing, swapped = _cluster_certificate(standing, seen.fingerprint)
    notes = heard + swapped
    if standing.foreign:
        outcome = _foreign(standing, seen.status, now)
    elif standing.state in {State.SUBMITTING, State.UNKNOWN}:
        outcome = _whose(standing, seen, now)
    else:
        outcome = _progress(standing, seen, now)
    return Outcome(outcome.standing, notes + outcome.notes, outcome.wait)


def _whose(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    """Find out by looking whether our POST was accepted. Reference: D5, rows 20 to 24."""
    status = seen.status
    if (status.start_time or "") != standing.baseline_start_time:
        adopted = replace(standing, state=State.IN_PROGRESS, unchanged_reads=0)
        note = Note("adopted", "The node had taken the request after all: its start time has changed")
        outcome = _progress(adopted, seen, now)
        return Outcome(outcome.standing, (note, *outcome.notes), outcome.wait)
    quiet_since = standing.submit_intent_at
    if quiet_since is None or now < quiet_since + timing.QUIET or not status.state.accepts_bootstrap:
        return Outcome(replace(standing, state=State.UNKNOWN), (), UNKNOWN_LOOK_SECONDS)
    if standing.unchanged_reads + 1 < timing.UNCHANGED_READS:
        counted = replace(standing, state=State.UNKNOWN, unchanged_reads=standing.unchanged_reads + 1)
        return Outcome(counted, (), UNKNOWN_LOOK_SECONDS)
    unchanged = replace(standing, state=State.UNKNOWN, unchanged_reads=0)
    return rest(unchanged, Reason.NOT_ACCEPTED, now, "The node shows no trace of the request")


def _progress(standing: Standing, seen: Seen, now: datetime) -> Outcome:
    """Follow a bootstrap that the node has taken."""
    status = seen.status
    start_time = status.start_time or ""
    fresh = start_time != standing.baseline_start_time
    if fresh and standing.accepted_start_time and start_time != standing.accepted_start_time and start_time:
        return rest(standing, Reason.SUPERSEDED, now, "Somebody has started another bootstrap on the node since")
    if fresh and not standing.accepted_start_time:
        standing = replace(standing, accepted_start_time=start_time)
    standing, notes = _new_word(standing, status)
    match status.state:
        case NodeState.COMPLETED:
            outcome = _completed(standing, seen, now, fresh=fresh)
        case NodeState.ERROR if fresh:
            outcome = _error(standing, status, now)
        case NodeState.IDLE:
            outcome = _idle(standing, now)
        case _:
            calm = replace(standing, idle_reads=0, error_since=None, error_code="", error_details=None)
            outcome = go_on(calm, now)
    return Outcome(outcome.standing, notes + outcome.notes, outcome.wait)


def _completed(standing: Standing, seen: Seen, now: datetime, *, fresh: bool) -> Outcome:
    """Believe `completed` only with a start time of our own and our sign-in accepted."""
    if not fresh:
        return fail(standing, Reason.ALREADY_IN_CLUSTER, now, "The node was in a cluster before the request reached it")
    if not seen.signed_in:
        return go_on(replace(standing, signs_in=True), now, at_once=True)
    note = Note("succeeded", "The node is in the cluster, and it accepts the sign-in")
    return end(standing, State.SUCCEEDED, Reason.NONE, now, note)


def _error(standing: Standing, status: Status, now: datetime) -> Outcome:
    """Believe `error` after two equal looks, two seconds apart: a node may retry by itself. Row 40."""
    code, details = status.error_code or "", status.error_details
    if standing.error_since is None or standing.error_code != code:
        seen_once = replace(standing, error_since=now, error_code=code, error_details=details)
        return Outcome(seen_once, (), timing.ERROR_READS_APART.total_seconds())
    if now - standing.error_since < timing.ERROR_READS_APART:
        return Outcome(standing, (), timing.poll_interval(standing.age(now)))
    final = replace(standing, error_details=details)
    return fail(
        final, Reason.NODE_ERROR, now, f"The node ended with {code or 'an error without a code'}", error_code=code
    )


def _idle(standing: Standing, now: datetime) -> Outcome:
    """Believe that the node was reset after three equal looks. Row 42."""
    if not standing.accepted_start_time:
        return go_on(standing, now)  # accepted a moment ago, and not begun yet
    reads = standing.idle_reads + 1
    if reads < timing.RESET_READS:
        return go_on(replace(standing, idle_reads=reads), now)
    return fail(standing, Reason.NODE_RESET, now, "The node is idle again: it was restarted or reset on the way")


def _foreign(standing: Standing, status: Status, now: datetime) -> Outcome:
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
    standing, swapped = _cluster_certificate(standing, seen.fingerprint)
    notes += swapped
    if standing.foreign:
        return fail(
            standing, Reason.ALREADY_IN_CLUSTER, now, "The other bootstrap has made the node a member of a cluster"
        )
    if not seen.signed_in:
        note = Note("sign_in_wanted", "The node asks for the sign-in now: it is becoming a member")
        first = () if standing.signs_in else (note,)
        return go_on(replace(standing, signs_in=True), now, *notes, *first, at_once=True)
    if standing.refused_since is None:
        note = Note("sign_in_refused", "The node did not accept the sign-in yet: trying for 30 s")
        return go_on(replace(standing, refused_since=now), now, *notes, note)
    if now - standing.refused_since < timing.SIGN_IN_GRACE:
        return go_on(standing, now, *notes)
    return rest(standing, Reason.CREDENTIALS_REFUSED, now, "The node does not accept the sign-in")


def _quiet_node(standing: Standing, phase: str, now: datetime, detail: str = "") -> Outcome:
    """Keep the state while a node restarts its services. Row 34."""
    silent, notes = went_silent(standing, phase, now, "No usable answer: the node may be restarting its services")
    if detail and notes:
        notes = (replace(notes[0], data={"phase": phase, "detail": detail}),)
    # silence breaks a run of equal reads, and it never counts as "unchanged"
    return go_on(replace(silent, unchanged_reads=0, idle_reads=0), now, *notes)


def _cluster_certificate(standing: Standing, fingerprint: str) -> tuple[Standing, tuple[Note, ...]]:
    """Note the moment in which a joining node first shows its cluster's certificate."""
    if standing.new_fingerprint or not fingerprint or fingerprint in {standing.fingerprint, standing.new_fingerprint}:
        return standing, ()
    note = Note(
        "certificate_replaced",
        "The node shows the cluster's certificate now",
        {"old": standing.fingerprint, "new": fingerprint},
    )
    return replace(standing, new_fingerprint=fingerprint), (note,)


def _new_word(standing: Standing, status: Status) -> tuple[Standing, tuple[Note, ...]]:
    """Write down a state of the node that it did not show at the last look."""
    if status.word == standing.node_state:
        return standing, ()
    note = Note("node_state", f"The node says {status.word}", {"node_state": status.word})
    return replace(standing, node_state=status.word), (note,)
