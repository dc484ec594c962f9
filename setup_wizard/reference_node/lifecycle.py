"""The states of a bootstrap, and when one becomes the next.

Pure: every function takes a `Progress` and the time, and returns another `Progress`. Times that a node shows have a
precision of one second; the due times inside are exact.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from setup_wizard.reference_node.errors import Busy, Failure

# Parts of the pace: a person sees each stage, and becoming a member falls into the middle of the run, as it does on
# real nodes, where sign-in and a new certificate begin while `creating_cluster` is still shown.
INITIATED_PART = 0.5
WORKING_PART = 0.5
SETTLING_PART = 1.0
TIME_FORM = "%Y-%m-%dT%H:%M:%SZ"


class Action(StrEnum):
    """What a bootstrap can be asked to do."""

    CREATE = "create_cluster"
    JOIN = "join_cluster"
    RECOVER = "recover_cluster"


class State(StrEnum):
    """Where a node says that its bootstrap stands."""

    IDLE = "idle"
    INITIATED = "initiated"
    CREATING = "creating_cluster"
    JOINING = "joining_cluster"
    RECOVERING = "recovering_cluster"
    COMPLETED = "completed"
    ERROR = "error"


RUNNING_STATES = {Action.CREATE: State.CREATING, Action.JOIN: State.JOINING, Action.RECOVER: State.RECOVERING}


class Phase(StrEnum):
    """Where a bootstrap really stands: finer than what is shown."""

    IDLE = "idle"
    INITIATED = "initiated"
    WORKING = "working"
    SETTLING = "settling"
    COMPLETED = "completed"
    ERROR = "error"

    @property
    def accepts_bootstrap(self) -> bool:
        """Whether a request is taken now."""
        return self in {Phase.IDLE, Phase.ERROR}

    @property
    def is_running(self) -> bool:
        """Whether something is still to happen by itself."""
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
        """The word that the node shows."""
        if self.phase in {Phase.WORKING, Phase.SETTLING} and self.action is not None:
            return RUNNING_STATES[self.action]
        return State(self.phase.value)

    def document(self) -> dict[str, object]:
        """The `bootstrap_status` object of `GET /v1/bootstrap`."""
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
    """Spell whole seconds since 1970 as nodes do: ``2014-08-29T11:19:49Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime(TIME_FORM)


def parse_time(text: str) -> int:
    """Read back what `format_time` wrote; raises ValueError."""
    return int(datetime.strptime(text, TIME_FORM).replace(tzinfo=UTC).timestamp())


def begin(progress: Progress, action: Action, now: float, pace: float) -> Progress:
    """Accept a request.

    Two requests never share a `start_time`, even within one second: clients tell their bootstrap from another by it.
    Raises Busy when the node is not idle or in error.
    """
    if not progress.phase.accepts_bootstrap:
        raise Busy
    start_time = int(now) if progress.start_time is None else max(int(now), progress.start_time + 1)
    return Progress(Phase.INITIATED, action, start_time, due=now + pace * INITIATED_PART)


def work(progress: Progress, now: float, pace: float) -> Progress:
    """Go on from `initiated` to the state that names the action."""
    return replace(progress, phase=Phase.WORKING, due=now + pace * WORKING_PART)


def settle(progress: Progress, now: float, pace: float) -> Progress:
    """Be a member that still shows the state of its action."""
    return replace(progress, phase=Phase.SETTLING, due=now + pace * SETTLING_PART)


def complete(progress: Progress, now: float) -> Progress:
    """End well."""
    return replace(progress, phase=Phase.COMPLETED, end_time=_end_time(progress, now), due=None)


def fail(progress: Progress, failure: Failure, now: float) -> Progress:
    """End in `error`, from where the next request is accepted."""
    return replace(progress, phase=Phase.ERROR, end_time=_end_time(progress, now), failure=failure, due=None)


def _end_time(progress: Progress, now: float) -> int:
    # a start_time that was moved on to stay unique must not lie after the end
    return max(int(now), progress.start_time or 0)
