"""Apply what an operator chose about a run. A choice that the run does not offer is refused with the reason."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import TextChoices

from setup_wizard.access import audit
from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts import vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.clusters import timing
from setup_wizard.clusters.audit_actions import PlanAudit
from setup_wizard.clusters.decisions import NodeProgress, PauseReason, RunState
from setup_wizard.clusters.document import PlannedNode, read_document
from setup_wizard.clusters.engine.lease import NewRunEvent, RunLeaseLost, now, write
from setup_wizard.clusters.models import Plan, Run, RunStep
from setup_wizard.clusters.progress import NodeInRun, RunProgress

TRIES = 5


class RunChoice(TextChoices):
    """One choice: its value is the last part of its URL, its label the button."""

    PAUSE = "pause", "Pause after this node"
    RESUME = "resume", "Resume"
    RETRY = "retry", "Retry"
    SKIP = "skip", "Skip this node"
    STOP = "stop", "Stop"

    @property
    def effect(self) -> str:
        """What happens when it is chosen, shown beside the button and in the description of the API."""
        return _EFFECTS[self]

    @property
    def confirmation(self) -> str:
        """What the operator confirms with a checkbox; empty when nothing is asked."""
        return _CONFIRMATIONS.get(self, "")


_EFFECTS = {
    RunChoice.PAUSE: "The node that is being set up finishes. The next one waits until you resume.",
    RunChoice.RESUME: "Continues with the next node.",
    RunChoice.RETRY: "Sets up this node again, with the same or with changed values.",
    RunChoice.SKIP: "Leaves this node out and continues with the next one.",
    RunChoice.STOP: "Ends this run. Nodes that are in the cluster stay there; a node that is being set up continues.",
}
_CONFIRMATIONS = {
    RunChoice.SKIP: "This node is not in the cluster, and no bootstrap is running on it.",
    RunChoice.STOP: "The nodes that are left will not be set up.",
}
_AUDIT = {
    RunChoice.PAUSE: PlanAudit.PAUSE,
    RunChoice.RESUME: PlanAudit.RESUME,
    RunChoice.RETRY: PlanAudit.RETRY,
    RunChoice.SKIP: PlanAudit.SKIP,
    RunChoice.STOP: PlanAudit.STOP,
}


class ChoiceRefused(Exception):
    """The run does not offer this choice now; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def choices_of(progress: RunProgress) -> tuple[RunChoice, ...]:
    """What an operator can choose now, the likeliest first."""
    run, position = progress.run, progress.view.current
    if run.status.is_final:
        return ()
    node = progress.nodes[position] if position is not None else None
    if run.status is RunState.RUNNING:
        return (RunChoice.STOP,) if run.pause_requested or node is None else (RunChoice.PAUSE, RunChoice.STOP)
    found = []
    if node and node.progress is NodeProgress.FAILED:
        found += [RunChoice.RETRY, RunChoice.SKIP]
    elif not run.why.is_about_attempt:
        found.append(RunChoice.RESUME)
        if node and run.why is PauseReason.CHECK_FAILED:
            found += [RunChoice.RETRY, RunChoice.SKIP]
    if run.why is PauseReason.SKIP_UNCERTAIN:
        found = [RunChoice.SKIP]
    return (*found, RunChoice.STOP)


def choose(run_id: UUID, choice: RunChoice, *, by: User) -> Run:
    """Apply a choice that needs no input.

    Raises:
        ChoiceRefused: `not_offered` or `busy`.
    """
    return _choose(run_id, choice, by, {}, all_left=False)


def retry(run_id: UUID, changes: Mapping[str, Mapping[str, object]], *, all_left: bool, by: User) -> Run:
    """Set up the node that failed again; `changes` has values by the address of their node.

    With `all_left` the changes for the current node apply to every node that is left.

    Raises:
        ChoiceRefused: `not_offered` or `busy`.
        InvalidPlan: the changed plan breaks a rule.
    """
    return _choose(run_id, RunChoice.RETRY, by, changes, all_left=all_left)


def _choose(
    run_id: UUID, choice: RunChoice, by: User, changes: Mapping[str, Mapping[str, object]], *, all_left: bool
) -> Run:
    """Apply a choice by compare-and-set, which takes the lease from any worker that holds it."""
    for _ in range(TRIES):
        run = Run.objects.select_related("plan", "started_by").get(pk=run_id)
        progress = RunProgress(run)
        if choice not in choices_of(progress):
            message = f"“{choice.label}” is not possible now. State: {run.status.label}."
            raise ChoiceRefused("not_offered", message)
        with suppress(RunLeaseLost), transaction.atomic():
            _apply(run, progress, choice, by, changes, all_left=all_left)
            audit.record(_AUDIT[choice], by=by, target=run.plan.as_target)
            return run
    raise ChoiceRefused("busy", "The run is changing right now. Try again.")


def _apply(  # noqa: PLR0913 - the choice, who made it, and the values of a retry
    run: Run,
    progress: RunProgress,
    choice: RunChoice,
    by: User,
    changes: Mapping[str, Mapping[str, object]],
    *,
    all_left: bool,
) -> None:
    event = NewRunEvent(choice.value, f"{choice.label}: {by.get_username()}")
    position = progress.view.current
    node = progress.nodes[position] if position is not None else None
    moment = now()
    plan: dict[str, object] = {
        "next_at": moment,
        "lease_expires_at": moment,
        "lease_token": run.lease_token + 1,
        "enqueued_at": None,
    }
    if choice is RunChoice.PAUSE:
        write(run, event, by=by, pause_requested=True, **plan)
        return
    if choice is RunChoice.STOP:
        write(run, event, by=by, state=RunState.STOPPED, reason="", ended_at=moment, **plan)
        vault.discard(run.pk)
        return
    write(run, event, by=by, state=RunState.RUNNING, reason="", paused_at=None, pause_requested=False, **plan)
    vault.keep_until(run.pk, moment + timing.RUNNING_CREDENTIALS_LIFE)
    if choice is RunChoice.RETRY and node:
        _retry(run, node, changes, all_left=all_left)
    if choice is RunChoice.SKIP and node:
        _skip(run, node, by)


def _retry(run: Run, node: NodeInRun, changes: Mapping[str, Mapping[str, object]], *, all_left: bool) -> None:
    if changes:
        _change_nodes(run.plan, node.position, changes, all_left=all_left)
    if node.step and node.progress is NodeProgress.FAILED:
        RunStep.objects.create(run=run, position=node.position, number=node.step.number + 1)


def _change_nodes(plan: Plan, position: int, changes: Mapping[str, Mapping[str, object]], *, all_left: bool) -> None:
    document = dict(plan.document)
    nodes = [dict(each) for each in document["nodes"]]
    known = set(PlannedNode.model_fields) - {"address"}
    for index, each in enumerate(nodes[position:], start=position):
        own = changes.get(each["address"], {})
        if all_left and not own:
            own = changes.get(nodes[position]["address"], {})
        each.update({name: value for name, value in own.items() if name in known})
        nodes[index] = each
    document["nodes"] = nodes
    Plan.objects.filter(pk=plan.pk).update(document=read_document(document).as_json())


def _skip(run: Run, node: NodeInRun, by: User) -> None:
    """End the attempt of the node, if it is open; the worker finds out whether the node came into the cluster."""
    if node.progress is NodeProgress.SKIPPING:  # the operator confirms that the node will not come
        RunStep.objects.filter(pk=node.step.pk).update(skipped_at=now()) if node.step else None
        return
    if node.step is None:
        RunStep.objects.create(run=run, position=node.position, number=1, skip_requested=True, skipped_at=now())
        return
    RunStep.objects.filter(pk=node.step.pk).update(skip_requested=True)
    if node.attempt and node.attempt.is_open:
        way_out = Choice.STOP_WATCHING if node.attempt.may_have_sent else Choice.CANCEL
        with suppress(attempts_engine.ChoiceRefused):
            attempts_engine.choose(node.attempt.pk, way_out, by=by)
