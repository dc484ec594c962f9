"""What a run does next: a pure function of what is known about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """The state of a run."""

    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self in {RunState.SUCCEEDED, RunState.STOPPED}

    @property
    def label(self) -> str:
        """The state for people."""
        return {"running": "Running", "paused": "Paused", "succeeded": "Succeeded", "stopped": "Stopped"}[self.value]

    @property
    def tone(self) -> str:
        """Its colour: live, good or warn."""
        return {"running": "live", "paused": "warn", "succeeded": "good", "stopped": "warn"}[self.value]


class PauseReason(StrEnum):
    """Why a run is paused."""

    NONE = ""
    REQUESTED = "requested"  # by an operator
    ATTEMPT_FAILED = "attempt_failed"
    ATTEMPT_NEEDS_OPERATOR = "attempt_needs_operator"
    CHECK_FAILED = "check_failed"  # a check before the next node failed
    CLUSTER_NOT_FIT = "cluster_not_fit"  # the cluster's own check failed
    SKIP_UNCERTAIN = "skip_uncertain"  # a skipped node may still come into the cluster
    CREDENTIALS_EXPIRED = "credentials_expired"
    NOT_PERMITTED = "not_permitted"  # the person who started it may no longer set up nodes
    FAULT = "fault"  # a bug of ours

    @property
    def is_about_attempt(self) -> bool:
        """Whether the run goes on by itself once the attempt has succeeded."""
        return self in {PauseReason.ATTEMPT_FAILED, PauseReason.ATTEMPT_NEEDS_OPERATOR}


class NodeProgress(StrEnum):
    """How far the setup of one node has come."""

    TODO = "todo"
    CHOSEN = "chosen"  # its attempt has an id, but was not begun
    MOVING = "moving"
    NEEDS_OPERATOR = "needs_operator"
    FAILED = "failed"
    DONE = "done"
    SKIPPING = "skipping"  # its attempt has to end, and the cluster must be known not to wait for it
    SKIPPED = "skipped"

    @property
    def has_not_begun(self) -> bool:
        """Whether its attempt has not begun."""
        return self in {NodeProgress.TODO, NodeProgress.CHOSEN}

    @property
    def is_over(self) -> bool:
        """Whether the next node can follow."""
        return self in {NodeProgress.DONE, NodeProgress.SKIPPED}


class Next(StrEnum):
    """What to do with a run."""

    NOTHING = "nothing"  # until an operator or an attempt changes something
    CHOOSE_NODE = "choose_node"  # store the id of the next attempt
    BEGIN = "begin"  # check the chosen node, and begin its attempt
    CHECK_CLUSTER = "check_cluster"  # ask the cluster whether it is fit for the next node
    CHECK_SKIPPED = "check_skipped"  # find out whether a skipped node came into the cluster
    PAUSE = "pause"
    RESUME = "resume"
    SUCCEED = "succeed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What is known about a run; `is_fit` says that the cluster passed its check since the last node came in."""

    state: RunState
    reason: PauseReason = PauseReason.NONE
    nodes: Sequence[NodeProgress]
    pause_requested: bool = False
    is_fit: bool = True
    has_credentials: bool = True
    is_permitted: bool = True

    @property
    def current(self) -> int | None:
        """The position of the first node that is not over; None when all are."""
        return next((position for position, node in enumerate(self.nodes) if not node.is_over), None)


@dataclass(frozen=True, slots=True)
class RunDecision:
    """What to do next; `position` is the node, `reason` that of a pause."""

    next: Next
    position: int | None = None
    reason: PauseReason = PauseReason.NONE


def decide(run: RunView) -> RunDecision:
    """Say what the run does next.

    Only one node is under way at a time, and nothing begins while the run is paused.
    """
    if run.state.is_final:
        return RunDecision(Next.NOTHING)
    position = run.current
    if position is not None and not run.nodes[position].has_not_begun:
        return _go_on(run, position)
    if run.state is RunState.PAUSED:
        return _resume_after_attempt(run)
    if position is not None and (reason := _why_not_next(run)):
        return RunDecision(Next.PAUSE, position, reason)
    if not run.is_fit:
        return RunDecision(Next.CHECK_CLUSTER, position)
    if position is None:
        return RunDecision(Next.SUCCEED)
    is_chosen = run.nodes[position] is NodeProgress.CHOSEN
    return RunDecision(Next.BEGIN if is_chosen else Next.CHOOSE_NODE, position)


def _go_on(run: RunView, position: int) -> RunDecision:
    """Say what to do about a node whose attempt was begun, or that is skipped."""
    match run.nodes[position]:
        case NodeProgress.NEEDS_OPERATOR:
            return _pause_once(run, PauseReason.ATTEMPT_NEEDS_OPERATOR, position)
        case NodeProgress.FAILED:
            return _pause_once(run, PauseReason.ATTEMPT_FAILED, position)
        case NodeProgress.SKIPPING:
            return RunDecision(Next.CHECK_SKIPPED, position)
    return _resume_after_attempt(run)


def _why_not_next(run: RunView) -> PauseReason:
    if run.pause_requested:
        return PauseReason.REQUESTED
    if not run.is_permitted:
        return PauseReason.NOT_PERMITTED
    return PauseReason.NONE if run.has_credentials else PauseReason.CREDENTIALS_EXPIRED


def _resume_after_attempt(run: RunView) -> RunDecision:
    """Go on when the attempt that the run was paused for moves again or has succeeded."""
    is_over = run.state is RunState.PAUSED and run.reason.is_about_attempt
    return RunDecision(Next.RESUME if is_over else Next.NOTHING)


def _pause_once(run: RunView, reason: PauseReason, position: int) -> RunDecision:
    is_known = run.state is RunState.PAUSED and run.reason is reason
    return RunDecision(Next.NOTHING, position) if is_known else RunDecision(Next.PAUSE, position, reason)
