"""What a decision is based on, and the ways in which it changes an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import ADDRESS, NewEvent, answered
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action

ACCESS_DENIED = "access_denied"  # a joining node's code when the cluster refuses its credentials
HTTP = "HTTP "  # prefix of the phase when a poll failed with a status code


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The columns of an attempt that the reducer uses; `Attempt` and `ReducerState` in `models.py` describe them."""

    state: State
    action: Action
    fingerprint: str
    member_fingerprint: str = ""
    accept_new_certificate: bool = False
    new_fingerprint: str = ""
    seen_certificate: Mapping[str, object] | None = None
    cluster_name: str = ""
    member_address: str = ""
    member_asked: bool = False
    name_from_member: str = ""
    found_name: str = ""
    name_proved: bool = False
    node_uid: str = ""
    listed_as: str = ""
    reason: Reason = Reason.NONE
    resume_state: str = ""
    waiting_since: datetime | None = None
    blocked_by: str = ""
    blocker_needs_operator: bool = False
    node_state: str = ""
    error_code: str = ""
    error_details: Mapping[str, object] | None = None
    answer: str = ""
    answer_status: int = 0
    was_validated: bool = False
    baseline_state: str = ""
    baseline_start_time: str = ""
    submit_intent_at: datetime | None = None
    submits: int = 0
    resubmits: int = 0
    settled_for: float = 0.0
    earlier_unknown: bool = False
    not_accepted_at: datetime | None = None
    refusal: int = 0
    began: bool = False
    accepted_start_time: str = ""
    unconfirmed: bool = False
    not_ours: bool = False
    wants_sign_in: bool = False
    refused_since: datetime | None = None
    refused_sign_ins: int = 0
    silent_since: datetime | None = None
    silent_phase: str = ""
    silent_error_text: str = ""
    silence_reported: bool = False
    failed_ticks: int = 0
    unchanged_reads: int = 0
    idle_reads: int = 0
    error_since: datetime | None = None
    error_patience: float = timing.ERROR_READS_APART.total_seconds()
    started_at: datetime | None = None
    deadline_at: datetime | None = None
    time_left: float | None = None
    last_asked_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def watches(self) -> bool:
        """Whether a bootstrap is being watched: ours or someone else's."""
        return self.not_ours or self.state in {State.SUBMITTING, State.UNKNOWN, State.IN_PROGRESS, State.VERIFYING}

    @property
    def watches_or_sent(self) -> bool:
        """Whether a POST of ours may have been sent, or a bootstrap is being watched."""
        return self.watches or self.submits > 0

    @property
    def is_refused(self) -> bool:
        """Whether the node refused every POST of ours, so its bootstrap may be someone else's."""
        return not self.earlier_unknown and bool(self.not_accepted_at or self.refusal)

    @property
    def is_followed_after_refusal(self) -> bool:
        """Whether we follow a bootstrap as ours although the node refused every POST of ours."""
        return self.unconfirmed and self.is_refused

    @property
    def is_settled(self) -> bool:
        """Whether no POST of ours can still arrive."""
        return self.settled_for >= timing.SETTLE_TIME.total_seconds()

    @property
    def asks_member(self) -> bool:
        """Whether an approved member can be asked for the cluster's name and has not given it yet."""
        return self.may_ask_member and not self.name_from_member

    @property
    def has_used_its_tries(self) -> bool:
        """Whether the node refused the credentials so often that only the member is left to ask."""
        return self.watches and self.refused_sign_ins >= timing.SIGN_IN_TRIES

    @property
    def has_refused_credentials(self) -> bool:
        """Whether the node or the cluster refused the credentials, so that a retry needs others."""
        is_refused = self.error_code == ACCESS_DENIED or self.answer_status in {401, 403}
        return is_refused or self.refused_since is not None or self.refused_sign_ins > 0

    @property
    def may_ask_member(self) -> bool:
        """Whether there is an approved member of the cluster."""
        return bool(self.action is Action.JOIN and self.member_address and self.member_fingerprint)

    @property
    def expected_name(self) -> str:
        """The name that the cluster must have: from the approved member on a join, else from the request."""
        return self.name_from_member or self.cluster_name

    def age(self, now: datetime) -> timedelta:
        """How long ago it left the queue."""
        return now - self.started_at if self.started_at else timedelta(0)


@dataclass(frozen=True, slots=True)
class Decision:
    """The new values of the row, the events to write, and the seconds until the next tick."""

    snapshot: Snapshot
    events: tuple[NewEvent, ...] = ()
    wait: float = 0.0


def pins(snapshot: Snapshot) -> frozenset[str]:
    """The certificates that are trusted now.

    Before the intent, only the approved one. After it also its replacement, and on a join the approved
    certificate of the cluster.
    """
    known = {snapshot.fingerprint, snapshot.new_fingerprint}
    if snapshot.action is Action.JOIN and snapshot.watches:
        known.add(snapshot.member_fingerprint)
    return frozenset(known - {""})


def member_pins(snapshot: Snapshot) -> frozenset[str]:
    """The certificates that the cluster's member may show: only the one approved for it."""
    return frozenset({snapshot.member_fingerprint})


def add_elapsed_time(snapshot: Snapshot, now: datetime, passed: timedelta | None) -> Snapshot:
    """Add the time since the last poll, up to a maximum per poll because clocks jump.

    `passed` is that time by the machine's monotonic clock, None when it is unknown. The deadline follows the monotonic
    clock; the settle time grows by the smaller of both clocks.
    """
    gap = timedelta(0)
    if snapshot.last_asked_at is not None:
        gap = max(now - snapshot.last_asked_at, timedelta(0))
    counted = gap if passed is None else passed
    left, settled = snapshot.time_left, snapshot.settled_for
    if left is not None:
        left -= min(counted, timing.LONGEST_GAP).total_seconds()
    if snapshot.submit_intent_at is not None:
        settled += min(gap, counted, timing.SETTLE_STEP).total_seconds()
    return replace(snapshot, last_asked_at=now, time_left=left, settled_for=settled)


def with_deadline(snapshot: Snapshot, now: datetime, span: timedelta) -> Snapshot:
    """Set the deadline after this time: by the clock, and in seconds that are counted poll by poll."""
    return replace(snapshot, deadline_at=now + span, time_left=span.total_seconds())


def end(snapshot: Snapshot, state: State, reason: Reason, now: datetime, event: NewEvent) -> Decision:
    """End the attempt."""
    return Decision(replace(snapshot, state=state, reason=reason, ended_at=now), (event,))


def fail(snapshot: Snapshot, reason: Reason, now: datetime, message: str, **data: object) -> Decision:
    """End the attempt as failed."""
    return end(snapshot, State.FAILED, reason, now, NewEvent("failed", message, {"reason": reason.value, **data}))


def wait_for_operator(snapshot: Snapshot, reason: Reason, now: datetime, message: str, **data: object) -> Decision:
    """Wait for the operator, and remember the state to resume."""
    waiting = replace(
        snapshot, state=State.NEEDS_OPERATOR, reason=reason, resume_state=snapshot.state.value, waiting_since=now
    )
    return Decision(waiting, (NewEvent("needs_operator", message, {"reason": reason.value, **data}),))


def poll_again(snapshot: Snapshot, now: datetime, *events: NewEvent, at_once: bool = False) -> Decision:
    """Poll again after the interval for the attempt's age, or at once."""
    return Decision(snapshot, events, 0.0 if at_once else timing.poll_interval(snapshot.age(now)))


def note_silence(
    snapshot: Snapshot, phase: str, now: datetime, message: str, error_text: str = ""
) -> tuple[Snapshot, tuple[NewEvent, ...]]:
    """Record a failed poll; only the first in a row is an event, and the first with text from the node.

    `error_text` is the text that came with an HTTP status, which is then the `phase`.
    """
    is_news = snapshot.silent_since is None or bool(error_text and not snapshot.silent_error_text)
    is_answer = phase.startswith(HTTP)
    # kept while other polls fail differently, so that the same text is not reported again after each of them
    kept = error_text if is_answer else snapshot.silent_error_text
    silent = replace(snapshot, silent_since=snapshot.silent_since or now, silent_phase=phase, silent_error_text=kept)
    if is_answer:
        message = f"The node answered {answered(int(phase.removeprefix(HTTP)), error_text)}. Retrying"
    event = NewEvent("silent", message, {"phase": phase} | ({"answer": error_text} if error_text else {}))
    return silent, (event,) if is_news else ()


def address_forbidden(snapshot: Snapshot, message: str, now: datetime) -> Decision:
    """Wait for the operator: the address is not allowed any more, and a POST of ours may have been accepted there."""
    silent = replace(snapshot, silent_since=snapshot.silent_since or now, silent_phase=ADDRESS, silent_error_text="")
    return wait_for_operator(silent, Reason.LOST_CONTACT, now, message)


def end_silence(snapshot: Snapshot, now: datetime) -> tuple[Snapshot, tuple[NewEvent, ...]]:
    """Record that the node answers again."""
    if snapshot.silent_since is None:
        return snapshot, ()
    seconds = max(0, round((now - snapshot.silent_since).total_seconds()))
    answering = replace(snapshot, silent_since=None, silent_phase="", silent_error_text="", silence_reported=False)
    return answering, (NewEvent("answers_again", f"The node answers again after {seconds} s", {"seconds": seconds}),)


class Retention(StrEnum):
    """What happens to the stored credentials when an attempt is written."""

    KEPT = "kept"
    KEPT_A_DAY = "kept a day"
    KEPT_FOR_RETRY = "kept for a retry"
    DELETED = "deleted"


def retention(snapshot: Snapshot) -> Retention:
    """Decide about the credentials: deleted at the end and while waiting, unless continuing or a retry needs them."""
    if snapshot.state.is_moving:
        return Retention.KEPT
    if snapshot.state is State.NEEDS_OPERATOR and snapshot.reason.keeps_credentials:
        return Retention.KEPT_A_DAY
    if snapshot.state is State.FAILED and not snapshot.has_refused_credentials:
        return Retention.KEPT_FOR_RETRY
    return Retention.DELETED
