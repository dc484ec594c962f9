"""The stages of a bootstrap and the time that each took, computed from the events. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from setup_wizard.attempts.durations import took
from setup_wizard.attempts.explanations.phases import silence
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.observations import answered
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import NodeState

WORK = {
    Action.CREATE: "Creating the cluster",
    Action.JOIN: "Joining the cluster",
    Action.RECOVER: "Recovering the cluster",
}

# for reasons whose name says too little
_REASONS = {
    Reason.FOREIGN_IN_PROGRESS: "another bootstrap is running",
    Reason.FOREIGN_FAILED: "another bootstrap has failed",
    Reason.FOREIGN_CLUSTER: "in another cluster",
    Reason.NOT_OURS: "someone else's bootstrap",
    Reason.SUPERSEDED: "another bootstrap was started",
    Reason.NOT_ACCEPTED: "no trace of the request",
    Reason.STOPPED: "no longer watched",
    Reason.TRUST: "a certificate that is not approved",
}

_MARK_LABELS = {
    "done": "done",
    "skipped": "skipped",
    "now": "now",
    "waits": "waiting",
    "bad": "failed",
    "warn": "not finished",
    "todo": "not started",
}
VALIDATED = 1  # the index of the stage in which the node validates the request
INITIATED = "Initiated"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: `mark` is done, skipped, now, waits, bad, warn or todo.

    `since` and `until` are None until the stage is entered and left. Waiting for a decision moves `since` later.
    """

    title: str
    note: str
    mark: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def mark_label(self) -> str:
        """The mark in words, for screen readers."""
        return _MARK_LABELS[self.mark]

    @property
    def took(self) -> str:
        """The time it took, in words; empty while it lasts and if it was never entered."""
        return took(self.since, self.until)


def stages(attempt: Attempt, events: Iterable[Event]) -> list[Stage]:
    """Return the stages of an attempt: queued, checked, sent, initiated, working, confirmed."""
    events = list(events)
    reached = _moments(attempt, events)
    titles = [
        "Queued",
        "Validated by the node",
        "Sent to the node",
        INITIATED,
        WORK[Action(attempt.action)],
        "Checked with the cluster",
    ]
    current = sum(moment is not None for moment in reached[1:])
    unchecked = any(event.kind == "not_validated" for event in events)
    notes = _notes(attempt, current, unchecked=unchecked)
    found = []
    for index, title in enumerate(titles):
        since = reached[index]
        until = reached[index + 1] if index < current else (attempt.ended_at if index == current else None)
        found.append(
            Stage(
                title=title,
                note=notes[index],
                mark="skipped" if index == VALIDATED < current and unchecked else _mark(attempt, index, current),
                since=since and since + waited(events, since, until),
                until=until,
            )
        )
    return found


def waited(events: Iterable[Event], since: datetime, until: datetime | None = None) -> timedelta:
    """Return how long the attempt waited for decisions between two moments: from each pause to the next event."""
    total = timedelta(0)
    for paused, after in pairwise(events):
        if paused.kind == "needs_operator" and paused.at >= since and (until is None or after.at <= until):
            total += after.at - paused.at
    return total


def _moments(attempt: Attempt, events: list[Event]) -> list[datetime | None]:
    """When each stage was entered; a stage that was too short to notice is entered with the next one."""
    checking = _first(events, lambda event: event.kind == "checking")
    submitting = _first(events, lambda event: event.kind == "submitting")
    accepted = _first(events, lambda event: event.kind in {"accepted", "attributed", "unconfirmed", "ours"})
    at_work = {NodeState.CREATING_CLUSTER, NodeState.JOINING_CLUSTER, NodeState.RECOVERING_CLUSTER}
    ours = [event for event in events if accepted and event.at >= accepted]
    working = _first(ours, lambda event: event.node_state in at_work)
    completed = _first(ours, lambda event: event.node_state is NodeState.COMPLETED or event.kind == "succeeded")
    failed_at_work = _first(ours, lambda event: event.node_state is NodeState.ERROR)
    return [
        attempt.created_at,
        checking,
        submitting or accepted,
        accepted,
        working or completed or failed_at_work,
        completed,
    ]


def _first(events: Iterable[Event], wanted: Callable[[Event], bool]) -> datetime | None:
    return next((event.at for event in events if wanted(event)), None)


def _mark(attempt: Attempt, index: int, current: int) -> str:
    if index < current or attempt.status is State.SUCCEEDED:
        return "done"
    if index > current:
        return "todo"
    if attempt.status is State.QUEUED and attempt.blocker_needs_operator:
        return "waits"
    return {State.FAILED: "bad", State.NEEDS_OPERATOR: "warn", State.CANCELLED: "warn"}.get(attempt.status, "now")


def _confirming(attempt: Attempt) -> str:
    """What we ask the cluster now, and its last answer."""
    if attempt.listed_as:
        return f"the cluster lists the node as {attempt.listed_as}"
    return "asking for its list of nodes" if attempt.name_proved else "asking for its name"


def _queued(attempt: Attempt) -> str:
    if not attempt.blocked_by:
        return "waiting for a worker"
    why = ", which needs a decision" if attempt.blocker_needs_operator else ": one node at a time"
    return f"waiting for {attempt.blocked_by}{why}"


def _sent(attempt: Attempt) -> str:
    """What happened to the request so far."""
    if attempt.status is State.UNKNOWN:
        status = f"answered {answered(attempt.answer_status, attempt.answer)}" if attempt.answer_status else "no answer"
        return f"{status}: checking whether the node accepted it"
    return "sending the request" if attempt.status is State.SUBMITTING else "connecting to the node"


def _notes(attempt: Attempt, current: int, *, unchecked: bool) -> list[str]:
    """The line below each title: what is happening, or the result."""
    reason = attempt.why
    now = {
        0: _queued(attempt),
        VALIDATED: "connecting to the node" if attempt.was_validated else "validating the request",
        2: _sent(attempt),
        3: "the node began the setup",
        4: attempt.node_state,
        5: _confirming(attempt),
    }
    after = {
        VALIDATED: "skipped, see Events" if unchecked else "no problems found" if attempt.was_validated else "",
        2: "accepted by the node",
        3: "the node began the setup",
        5: f"{attempt.cluster_name} lists it as active",
    }
    ended = attempt.error_code or _REASONS.get(reason, reason.value.replace("_", " "))
    notes = []
    for index in range(len(now)):
        if index < current or attempt.status is State.SUCCEEDED:
            notes.append(after.get(index, ""))
        elif index > current:
            notes.append("")
        elif attempt.status.is_moving:
            note = _REASONS[Reason.FOREIGN_IN_PROGRESS] if attempt.not_ours else now[index]
            notes.append(silence(attempt, with_text=False) if attempt.silent_since else note)
        else:
            notes.append(ended)
    return notes
