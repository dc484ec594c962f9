"""How far a run is, from its rows and those of its attempts."""

from dataclasses import dataclass
from functools import cached_property

from setup_wizard.access.permissions import Permission
from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.clusters.decisions import NodeProgress, RunView
from setup_wizard.clusters.document import PlanDocument, PlanKind, PlannedNode
from setup_wizard.clusters.models import Run, RunStep


@dataclass(frozen=True, slots=True)
class NodeInRun:
    """One node of a run, with its latest try and that try's attempt."""

    position: int
    planned: PlannedNode
    step: RunStep | None = None
    attempt: Attempt | None = None

    @property
    def progress(self) -> NodeProgress:
        """How far the node is."""
        if self.step is None:
            return NodeProgress.TODO
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
        latest = {step.position: step for step in self.run.steps.order_by("number")}
        attempts = Attempt.objects.in_bulk([step.attempt_id for step in latest.values()])
        found = []
        for position, planned in enumerate(self.content.nodes):
            step = latest.get(position)
            found.append(NodeInRun(position, planned, step, attempts.get(step.attempt_id) if step else None))
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
        starter = self.run.started_by
        return RunView(
            state=self.run.status,
            reason=self.run.why,
            nodes=[node.progress for node in self.nodes],
            pause_requested=self.run.pause_requested,
            is_fit=self.is_fit,
            has_credentials=vault.expires_at(self.run.pk) is not None,
            is_permitted=starter.is_active and starter.has_perm(Permission.OPERATE),
        )
