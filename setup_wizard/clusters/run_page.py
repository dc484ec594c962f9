"""What the page of a run shows, for the first render and for every refresh."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from setup_wizard.attempts.durations import took
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import Explanation
from setup_wizard.clusters import inventory
from setup_wizard.clusters.decisions import NodeProgress, PauseReason, RunState
from setup_wizard.clusters.document import PlanKind
from setup_wizard.clusters.engine import CONSENT, RunChoice, choices_of, offers_rack_awareness
from setup_wizard.clusters.models import Cluster, Run, RunEvent
from setup_wizard.clusters.progress import NodeInRun, RunProgress
from setup_wizard.live.panel import Panel
from setup_wizard.live.panel import panel as panel_of
from setup_wizard.nodes.address import Address

EVENTS_SHOWN = 60
_VERBS = {
    Action.CREATE: ("Creates the cluster", "Creating the cluster", "Created the cluster"),
    Action.JOIN: ("Joins", "Joining", "Joined"),
    Action.RECOVER: ("Recovers the cluster", "Recovering the cluster", "Recovered the cluster"),
}
_MARKS = {
    NodeProgress.DONE: "done",
    NodeProgress.MOVING: "now",
    NodeProgress.CHOSEN: "now",
    NodeProgress.NEEDS_OPERATOR: "waits",
    NodeProgress.FAILED: "bad",
    NodeProgress.SKIPPED: "skipped",
    NodeProgress.SKIPPING: "waits",
}


@dataclass(frozen=True, slots=True)
class NodeOnTrack:
    """One node on the track of a run: `mark` is done, now, waits, bad, skipped or todo."""

    node: NodeInRun
    action: Action
    progress: NodeProgress
    is_next: bool
    before: str

    @property
    def host(self) -> str:
        """Where it is reached, without the port."""
        return str(Address.parse(self.node.planned.address).host)

    @property
    def mark(self) -> str:
        """How far it is, for its icon."""
        return _MARKS.get(self.progress, "todo")

    @property
    def attempt(self) -> Attempt | None:
        """Its latest attempt."""
        return self.node.attempt

    @property
    def status(self) -> str:
        """How far it is, in words."""
        waits, works, worked = _VERBS[self.action]
        match self.progress:
            case NodeProgress.DONE:
                return f"{worked} · {self.duration}"
            case NodeProgress.MOVING | NodeProgress.CHOSEN:
                return works
            case NodeProgress.NEEDS_OPERATOR:
                return "Action needed"
            case NodeProgress.FAILED:
                return "Failed"
            case NodeProgress.SKIPPED | NodeProgress.SKIPPING:
                return "Skipped"
        return f"Next, when {self.before} is active" if self.is_next and self.before else waits

    @property
    def duration(self) -> str:
        """How long its attempt took, in words; empty while it lasts."""
        return took(self.attempt.created_at, self.attempt.ended_at) if self.attempt else ""

    @property
    def details(self) -> str:
        """Its ID, its rack and its status in the cluster."""
        attempt, rack = self.attempt, self.node.planned.rack_id
        uid = f"ID {attempt.node_uid}" if attempt and attempt.node_uid else ""
        listed = attempt.listed_as if attempt and self.node.is_done else ""
        return " · ".join(word for word in (uid, rack, listed) if word)


@dataclass(frozen=True, slots=True)
class MixedEvent:
    """An event of the run or of one of its attempts; `node` is the position of the node, None for the run."""

    at: datetime
    message: str
    node: int | None = None


class RunPage:
    """One run as its page shows it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.progress = RunProgress(run)

    @cached_property
    def track(self) -> list[NodeOnTrack]:
        """The nodes in order."""
        content, current = self.progress.content, self.progress.view.current
        nodes = self.progress.nodes
        following = next((node.position for node in nodes if node.progress is NodeProgress.TODO), None)
        return [
            NodeOnTrack(
                node,
                content.action_of(node.position),
                self._progress_of(node),
                node.position == following,
                f"node {node.position}" if current is not None and node.position else "",
            )
            for node in nodes
        ]

    def _progress_of(self, node: NodeInRun) -> NodeProgress:
        """Say how far a node is: a run that does not go on has not begun with the node that it chose."""
        if node.progress is not NodeProgress.CHOSEN or self.run.status is RunState.RUNNING:
            return node.progress
        return NodeProgress.NEEDS_OPERATOR if self.run.why is PauseReason.CHECK_FAILED else NodeProgress.TODO

    @property
    def title(self) -> str:
        """The heading."""
        return f"{'Add nodes to' if self.extends else 'Setup of'} {self.run.plan.target}"

    @property
    def headline(self) -> str:
        """What is happening now, or the result."""
        run, total = self.run, len(self.track)
        if run.status is RunState.SUCCEEDED:
            return f"{len(self.progress.done)} of {total} nodes are active" if total > 1 else "The node is active"
        if run.status is RunState.STOPPED:
            return "Stopped"
        if run.status is RunState.PAUSED:
            return "Action needed" if run.why is not PauseReason.REQUESTED else "Paused"
        current = self.current
        if current is None or current.node.progress is NodeProgress.TODO:
            return "Checking the cluster" if self.progress.done else "Starting"
        verb = _VERBS[current.action][1].lower()
        return f"Node {current.node.position + 1} of {total} is {verb}"

    @property
    def page_title(self) -> str:
        """The title of the browser tab."""
        return f"{self.headline} · {self.run.plan.target}"

    @property
    def tone(self) -> str:
        """The colour of the headline."""
        return self.run.status.tone

    @property
    def current(self) -> NodeOnTrack | None:
        """The node that is under way or comes next; None when all are over."""
        position = self.progress.view.current
        return self.track[position] if position is not None else None

    @cached_property
    def panel(self) -> Panel | None:
        """The page of the current attempt: its stages and its explanation."""
        attempt = self.current.attempt if self.current else None
        return panel_of(attempt) if attempt else None

    @property
    def explanation(self) -> Explanation | None:
        """Why the current attempt failed or waits."""
        return self.panel.explanation if self.panel else None

    @property
    def why_paused(self) -> str:
        """What paused the run, in words; empty while it runs."""
        return self.run.why_paused

    @property
    def choices(self) -> tuple[RunChoice, ...]:
        """What an operator can choose now."""
        return choices_of(self.progress)

    @property
    def offers_rack_awareness(self) -> bool:
        """Whether rack awareness can be turned on now."""
        return offers_rack_awareness(self.progress)

    @property
    def rack_awareness_consent(self) -> str:
        """What the operator confirms for that."""
        return CONSENT

    @property
    def elapsed_since(self) -> datetime:
        """When it began."""
        return self.run.created_at

    @property
    def duration(self) -> str:
        """How long it took, or has taken."""
        return took(self.run.created_at, self.run.ended_at or timezone.now())

    @property
    def cluster(self) -> Cluster | None:
        """The cluster that its nodes are in; None when no attempt has named it."""
        inventory.add_newest_attempts()
        attempts = [node.attempt.pk for node in self.track if node.attempt]
        return Cluster.objects.filter(nodes__attempt__in=attempts).first()

    @property
    def extends(self) -> bool:
        """Whether it adds nodes to a cluster that was there before."""
        return self.progress.content.kind is PlanKind.EXTEND

    @property
    def recovers(self) -> bool:
        """Whether the databases are still to be recovered."""
        return self.progress.content.kind is PlanKind.RECOVER

    @property
    def racks(self) -> str:
        """How many of the racks are in use."""
        planned = {node.node.planned.rack_id for node in self.track} - {""}
        if not planned:
            return ""
        return (
            f"{len({node.node.planned.rack_id for node in self.track if node.node.is_done} - {''})} of {len(planned)}"
        )

    @cached_property
    def events(self) -> list[MixedEvent]:
        """The latest events of the run and its attempts, newest first."""
        positions = {step.attempt_id: step.position for step in self.run.steps.all()}
        attempts = Event.objects.filter(attempt_id__in=positions).order_by("-at")[:EVENTS_SHOWN]
        runs = RunEvent.objects.filter(run=self.run).order_by("-seq")[:EVENTS_SHOWN]
        mixed = [
            *(MixedEvent(event.at, event.message, positions[event.attempt_id] + 1) for event in attempts),
            *(MixedEvent(event.at, event.message) for event in runs),
        ]
        return sorted(mixed, key=lambda event: event.at, reverse=True)[:EVENTS_SHOWN]

    @property
    def version(self) -> str:
        """Changes with everything that the page shows."""
        attempts = "-".join(str(node.attempt.last_seq) for node in self.track if node.attempt)
        return f"{self.run.last_seq}-{self.run.state}-{int(self.run.pause_requested)}-{attempts}"
