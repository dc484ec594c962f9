"""How far a run is, from its rows and those of its attempts."""

from dataclasses import dataclass
from functools import cached_property

from setup_wizard.access.permissions import Permission
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.status import NodeState
from setup_wizard.clusters.decisions import NodeProgress, RunView
from setup_wizard.clusters.document import PlanDocument, PlanKind, PlannedNode
from setup_wizard.clusters.models import Run, RunStep


@dataclass(frozen=True, slots=True)
class NodeInRun:
    """One node of a run, with its latest try, that try's attempt and the attempts of earlier tries."""

    position: int
    planned: PlannedNode
    step: RunStep | None = None
    attempt: Attempt | None = None
    earlier: tuple[Attempt, ...] = ()

    @property
    def progress(self) -> NodeProgress:
        """How far the node is."""
        if self.step is None:
            return NodeProgress.TODO
        if self.attempt and self.attempt.status is State.SUCCEEDED:
            return NodeProgress.DONE  # although somebody wanted to skip it
        if self.step.skipped_at:
            return NodeProgress.SKIPPED
        if self.step.skip_requested:
            return NodeProgress.SKIPPING
        if self.attempt is None:
            return NodeProgress.CHOSEN
        return _PROGRESS.get(self.attempt.status, NodeProgress.MOVING)

    @property
    def is_done(self) -> bool:
        """Whether both the node and the cluster say that it came in."""
        return self.progress is NodeProgress.DONE

    @property
    def sent(self) -> list[Attempt]:
        """The attempts whose request may have reached the node, oldest first."""
        return [each for each in (*self.earlier, self.attempt) if each and each.may_have_sent]

    @property
    def may_come_later(self) -> bool:
        """Whether the node may be at work, as far as its last answer tells, or the cluster lists it."""
        last = self.sent[-1] if self.sent else None
        if last is None or last.why in _NOT_TAKEN:
            return False
        return not NodeState(last.node_state).accepts_bootstrap or bool(last.listed_as)


# the node answered the request, and did not begin
_NOT_TAKEN = frozenset({Reason.REJECTED, Reason.UNSUPPORTED_ACTION, Reason.REDIRECTED})
_PROGRESS = {
    State.SUCCEEDED: NodeProgress.DONE,
    State.FAILED: NodeProgress.FAILED,
    State.CANCELLED: NodeProgress.FAILED,
    State.NEEDS_OPERATOR: NodeProgress.NEEDS_OPERATOR,
}


class RunProgress:
    """A run as it is now."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def content(self) -> PlanDocument:
        """The plan."""
        return self.run.plan.content

    @cached_property
    def nodes(self) -> list[NodeInRun]:
        """Every node, in order."""
        steps = list(self.run.steps.order_by("number"))
        attempts = Attempt.objects.in_bulk([step.attempt_id for step in steps])
        found = []
        for position, planned in enumerate(self.content.nodes):
            own = [step for step in steps if step.position == position]
            *earlier, last = [attempts.get(step.attempt_id) for step in own] or [None]
            tries = tuple(attempt for attempt in earlier if attempt)
            found.append(NodeInRun(position, planned, own[-1] if own else None, last, tries))
        return found

    @property
    def done(self) -> list[Attempt]:
        """The attempts that brought their nodes into the cluster, in order."""
        return [node.attempt for node in self.nodes if node.is_done and node.attempt]

    @property
    def is_fit(self) -> bool:
        """Whether the cluster has passed its check since the last node came in."""
        if self.content.kind is PlanKind.EXTEND and self.run.known_problems is None:
            return False
        return self.run.fit_nodes >= len(self.done)

    @property
    def view(self) -> RunView:
        """What decides about the next thing to do."""
        operator = self.run.operator
        return RunView(
            state=self.run.status,
            reason=self.run.why,
            nodes=[node.progress for node in self.nodes],
            pause_requested=self.run.pause_requested,
            is_fit=self.is_fit,
            has_credentials=vault.expires_at(self.run.pk) is not None,
            is_permitted=operator.is_active and operator.has_perm(Permission.OPERATE),
        )
