"""The states of a bootstrap, and when one becomes the next.

Pure: every function takes a `Progress` and the time, and returns another `Progress`. The times that a node shows are
whole seconds; the due times inside are exact.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from setup_wizard.reference_node.errors import Busy, Failure

# Parts of the pace. The node becomes a member in the middle of the run, as real nodes do: it requires the sign-in and
# shows a new certificate while its state is still `creating_cluster`.
INITIATED_PART = 0.5
WORKING_PART = 0.5
SETTLING_PART = 1.0
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Action(StrEnum):
    """What a bootstrap does."""

    CREATE = "create_cluster"
    JOIN = "join_cluster"
    RECOVER = "recover_cluster"


class State(StrEnum):
    """The state that a node shows."""

    IDLE = "idle"
    INITIATED = "initiated"
    CREATING = "creating_cluster"
    JOINING = "joining_cluster"
    RECOVERING = "recovering_cluster"
    COMPLETED = "completed"
    ERROR = "error"


RUNNING_STATES = {Action.CREATE: State.CREATING, Action.JOIN: State.JOINING, Action.RECOVER: State.RECOVERING}


class Phase(StrEnum):
    """The exact state, which the node does not show."""

    IDLE = "idle"
    INITIATED = "initiated"
    WORKING = "working"
    SETTLING = "settling"
    COMPLETED = "completed"
    ERROR = "error"

    @property
    def accepts_bootstrap(self) -> bool:
        return self in {Phase.IDLE, Phase.ERROR}

    @property
    def is_running(self) -> bool:
        return self in {Phase.INITIATED, Phase.WORKING, Phase.SETTLING}


@dataclass(frozen=True)
class Progress:
    """One node's bootstrap at one moment; `start_time` and `end_time` are whole seconds since 1970."""

    phase: Phase = Phase.IDLE
    action: Action | None = None
    start_time: int | None = None
    end_time: int | None = None
    failure: Failure | None = None
    due: float | None = None

    @property
    def state(self) -> State:
        if self.phase in {Phase.WORKING, Phase.SETTLING} and self.action is not None:
            return RUNNING_STATES[self.action]
        return State(self.phase.value)

    def document(self) -> dict[str, object]:
        """The `bootstrap_status` of `GET /v1/bootstrap`."""
        document: dict[str, object] = {"state": self.state.value}
        if self.start_time is not None:
            document["start_time"] = format_time(self.start_time)
        if self.end_time is not None:
            document["end_time"] = format_time(self.end_time)
        if self.failure is not None:
            document["error_code"] = self.failure.code
            document["error_details"] = dict(self.failure.details)
        return document


def format_time(seconds: int) -> str:
    """Write whole seconds since 1970 as nodes do: ``2014-08-29T11:19:49Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime(TIME_FORMAT)


def parse_time(text: str) -> int:
    """Read what `format_time` returned; raises ValueError."""
    return int(datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp())


def begin(progress: Progress, action: Action, now: float, pace: float) -> Progress:
    """Accept a request; raises Busy when the node is not idle or in error.

    Two requests never share a `start_time`, even within one second: clients identify their bootstrap by it.
    """
    if not progress.phase.accepts_bootstrap:
        raise Busy
    start_time = int(now) if progress.start_time is None else max(int(now), progress.start_time + 1)
    return Progress(Phase.INITIATED, action, start_time, due=now + pace * INITIATED_PART)


def work(progress: Progress, now: float, pace: float) -> Progress:
    """Continue from `initiated` to the state of the action."""
    return replace(progress, phase=Phase.WORKING, due=now + pace * WORKING_PART)


def settle(progress: Progress, now: float, pace: float) -> Progress:
    """Become a member that still shows the state of the action."""
    return replace(progress, phase=Phase.SETTLING, due=now + pace * SETTLING_PART)


def complete(progress: Progress, now: float) -> Progress:
    """End successfully."""
    return replace(progress, phase=Phase.COMPLETED, end_time=_end_time(progress, now), due=None)


def fail(progress: Progress, failure: Failure, now: float) -> Progress:
    """End in `error`, where the next request is accepted."""
    return replace(progress, phase=Phase.ERROR, end_time=_end_time(progress, now), failure=failure, due=None)


def _end_time(progress: Progress, now: float) -> int:
    return max(int(now), progress.start_time or 0)  # a start_time may be later than now, to be unique
