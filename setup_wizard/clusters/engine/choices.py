"""Apply what an operator chose about a run. A choice that the run does not offer is refused; the message says why."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import TextChoices
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.attempts import engine as attempts_engine
from setup_wizard.attempts import vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.preflight import MAX_REASON
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.clusters import timing
from setup_wizard.clusters.audit_actions import PlanAudit
from setup_wizard.clusters.decisions import NodeProgress, PauseReason, RunState
from setup_wizard.clusters.document import PlanDocument, PlannedNode, read_document
from setup_wizard.clusters.engine.lease import NewRunEvent, RunLeaseLost, now, write
from setup_wizard.clusters.models import CLUSTER_CHECK, Plan, Run, RunStep
from setup_wizard.clusters.progress import NodeInRun, RunProgress
from setup_wizard.failpoints import Point, reach

TRIES = 5
Accepted = Mapping[str, str]


class RunChoice(TextChoices):
    """One choice: its value is the last part of its URL, its label the button."""

    PAUSE = "pause", "Pause after this node"
    RESUME = "resume", "Resume"
    RETRY = "retry", "Retry"
    SKIP = "skip", "Skip this node"
    CREDENTIALS = "credentials", "Enter the credentials again"
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
    RunChoice.CREDENTIALS: "Continues with these credentials.",
    RunChoice.STOP: "Ends this run. Nodes that are in the cluster stay there; a node that is being set up continues.",
}
_CONFIRMATIONS = {
    RunChoice.SKIP: "This node is not in the cluster, and no bootstrap is running on it.",
    RunChoice.STOP: "The nodes that are left will not be set up.",
}
_ABOUT_A_NODE = {RunChoice.RETRY, RunChoice.SKIP}
_AUDIT = {
    RunChoice.PAUSE: PlanAudit.PAUSE,
    RunChoice.RESUME: PlanAudit.RESUME,
    RunChoice.RETRY: PlanAudit.RETRY,
    RunChoice.SKIP: PlanAudit.SKIP,
    RunChoice.CREDENTIALS: PlanAudit.CREDENTIALS,
    RunChoice.STOP: PlanAudit.STOP,
}


class ChoiceRefused(Exception):
    """The run does not offer this choice now; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def choices_of(progress: RunProgress, *, with_credentials: bool = False) -> tuple[RunChoice, ...]:
    """What an operator can choose now, the likeliest first.

    `with_credentials` says that new credentials are entered together with the choice.
    """
    run, position = progress.run, progress.view.current
    if run.status.is_final:
        return ()
    node = progress.nodes[position] if position is not None else None
    if run.status is RunState.RUNNING:
        is_one_left = any(each.progress.has_not_begun for each in progress.nodes)
        return (RunChoice.PAUSE, RunChoice.STOP) if is_one_left and not run.pause_requested else (RunChoice.STOP,)
    if run.why is PauseReason.SKIP_UNCERTAIN:
        return (RunChoice.SKIP, RunChoice.STOP)
    skip = (RunChoice.SKIP,) if node and _can_skip(progress, node) else ()
    if node and node.progress is NodeProgress.NEEDS_OPERATOR:
        return (*skip, RunChoice.STOP)
    go_on = RunChoice.RETRY if node and node.progress is NodeProgress.FAILED else RunChoice.RESUME
    if not (progress.view.has_credentials or with_credentials):
        return (RunChoice.CREDENTIALS, *skip, RunChoice.STOP)
    retry = (RunChoice.RETRY,) if go_on is RunChoice.RESUME and run.why is PauseReason.CHECK_FAILED else ()
    return (go_on, *retry, *skip, RunChoice.CREDENTIALS, RunChoice.STOP)


def _can_skip(progress: RunProgress, node: NodeInRun) -> bool:
    """Whether other nodes can join without this one, and it is not on its way into the cluster."""
    if progress.content.action_of(node.position) is not Action.JOIN:
        return False
    match node.progress:
        case NodeProgress.NEEDS_OPERATOR | NodeProgress.FAILED:
            return not node.may_come_later
    return node.progress is NodeProgress.CHOSEN and progress.run.why is PauseReason.CHECK_FAILED


@sensitive_variables()
def choose(
    run_id: UUID,
    choice: RunChoice,
    *,
    by: User,
    accept: Accepted | None = None,
    credentials: Credentials | None = None,
) -> Run:
    """Apply a choice; to resume, `accept` has the reason for each result that is accepted, by its name.

    A choice that continues the run can come with new `credentials`, when entering them is offered, too.

    Raises:
        ChoiceRefused: `not_offered`, `not_acceptable` or `busy`.
    """
    accepted = accept or {}
    event = _event(choice, by, accepted)
    return _choose(run_id, event, by, lambda run, progress: _accept(run, progress, accepted), credentials)


@sensitive_variables()
def retry(  # noqa: PLR0913 - what the operator can change together
    run_id: UUID,
    changes: Mapping[str, Mapping[str, object]],
    *,
    all_left: bool,
    by: User,
    accept: Accepted | None = None,
    credentials: Credentials | None = None,
) -> Run:
    """Set up the node that failed again; `changes` has values by the address of their node.

    With `all_left` the changes for the current node apply to every node that is left. `credentials` are as in `choose`.

    Raises:
        ChoiceRefused: as `choose`.
        InvalidPlan: the changed plan breaks a rule; nothing is changed.
    """

    def prepare(run: Run, progress: RunProgress) -> None:
        _accept(run, progress, accept or {})
        if changes and (position := progress.view.current) is not None:
            document = _changed(run.plan, position, changes, all_left=all_left).as_json()
            Plan.objects.filter(pk=run.plan_id).update(document=document)

    changed = {address: dict(values) for address, values in changes.items() if values}
    event = _event(RunChoice.RETRY, by, accept or {}, changed=changed, all_left=all_left and bool(changed))
    return _choose(run_id, event, by, prepare, credentials)


def check_retry(
    run_id: UUID, changes: Mapping[str, Mapping[str, object]], *, all_left: bool, with_credentials: bool
) -> None:
    """Find out whether `retry` would be refused now; nothing is changed.

    Raises:
        ChoiceRefused, InvalidPlan: as `retry`.
    """
    progress = RunProgress(Run.objects.select_related("plan", "started_by", "continued_by").get(pk=run_id))
    _check_offered(progress, RunChoice.RETRY, with_credentials=with_credentials)
    if changes and (position := progress.view.current) is not None:
        _changed(progress.run.plan, position, changes, all_left=all_left)


@sensitive_variables()
def give_credentials(run_id: UUID, credentials: Credentials, *, by: User) -> Run:
    """Continue a paused run with these credentials.

    Raises:
        ChoiceRefused: as `choose`.
    """
    return choose(run_id, RunChoice.CREDENTIALS, by=by, credentials=credentials)


@sensitive_variables()
def _choose(
    run_id: UUID,
    event: NewRunEvent,
    by: User,
    prepare: Callable[[Run, RunProgress], None],
    credentials: Credentials | None,
) -> Run:
    """Apply a choice by compare-and-set, which takes the lease from any worker that holds it."""
    choice = RunChoice(event.kind)
    for _ in range(TRIES):
        run = Run.objects.select_related("plan", "started_by", "continued_by").get(pk=run_id)
        progress = RunProgress(run)
        needed = _check_offered(progress, choice, with_credentials=credentials is not None)
        position = progress.view.current
        node = progress.nodes[position].planned.address if position is not None else ""
        with suppress(RunLeaseLost):
            with transaction.atomic():
                _apply(run, progress, event, by)
                if credentials:
                    vault.seal(run.pk, credentials, expires_at=now() + timing.RUNNING_CREDENTIALS_LIFE)
                prepare(run, progress)
                for each in sorted(needed):
                    note = node if each in _ABOUT_A_NODE else ""
                    audit.record(_AUDIT[each], by=by, target=run.plan.as_target, note=note)
                reach(Point.RUN_CHOICE_COMMIT)
            reach(Point.RUN_CHOICE_COMMITTED)
            return run
    raise ChoiceRefused("busy", "The run is changing right now. Try again.")


def _check_offered(progress: RunProgress, choice: RunChoice, *, with_credentials: bool) -> set[RunChoice]:
    """Give the choice and, with credentials, that of entering them; both must be offered."""
    needed = {choice, RunChoice.CREDENTIALS} if with_credentials else {choice}
    if not needed <= set(choices_of(progress, with_credentials=with_credentials)):
        message = f"“{choice.label}” is not possible now. State: {progress.run.status.label}."
        raise ChoiceRefused("not_offered", message)
    return needed


def _event(choice: RunChoice, by: User, accepted: Accepted, **more: object) -> NewRunEvent:
    """Give the event of a choice: with it stand the reasons for what was accepted, and what was changed."""
    details = {"accepted": _reasons(accepted), **more}
    data = {name: value for name, value in details.items() if value}
    return NewRunEvent(choice.value, f"{choice.label}: {by.get_username()}", data)


def _reasons(accepted: Accepted) -> dict[str, str]:
    return {name: reason.strip()[:MAX_REASON] for name, reason in accepted.items() if reason.strip()}


def _apply(run: Run, progress: RunProgress, event: NewRunEvent, by: User) -> None:
    choice = RunChoice(event.kind)
    position = progress.view.current
    node = progress.nodes[position] if position is not None else None
    moment = now()
    changes: dict[str, object] = {
        "next_at": moment,
        "lease_expires_at": moment,
        "lease_token": run.lease_token + 1,
        "enqueued_at": None,
    }
    if choice is RunChoice.PAUSE:
        write(run, event, by=by, pause_requested=True, **changes)
        return
    if choice is RunChoice.STOP:
        write(run, event, by=by, state=RunState.STOPPED, reason="", ended_at=moment, **changes)
        vault.discard(run.pk)
        return
    if not progress.view.is_permitted:
        changes["continued_by"] = by  # its operator may no longer operate: the person who continues takes over
    # the cluster is checked again: something was changed since, or went wrong
    changes |= {"state": RunState.RUNNING, "reason": "", "paused_at": None, "pause_requested": False, "fit_nodes": 0}
    write(run, event, by=by, **changes)
    vault.keep_until(run.pk, moment + timing.RUNNING_CREDENTIALS_LIFE)
    if choice is RunChoice.SKIP and node:
        _skip(run, node, by)
    elif node and node.step and node.progress is NodeProgress.FAILED:
        RunStep.objects.create(run=run, position=node.position, number=node.step.number + 1)


def _accept(run: Run, progress: RunProgress, accepted: Accepted) -> None:
    """Save the reasons for a node's checks with the plan; accepted problems of the cluster become known ones."""
    offered = {str(each["name"]): each for each in run.results if each.get("can_accept")}
    reasons = _reasons(accepted)
    if unknown := set(accepted) - set(offered):
        raise ChoiceRefused("not_acceptable", f"Cannot be accepted now: {', '.join(sorted(unknown))}.")
    if unexplained := set(accepted) - set(reasons):
        raise ChoiceRefused("not_acceptable", f"Enter a reason to accept: {', '.join(sorted(unexplained))}.")
    if reasons.pop(CLUSTER_CHECK, ""):
        problems = [*(run.known_problems or []), *offered[CLUSTER_CHECK].get("problems", [])]
        Run.objects.filter(pk=run.pk).update(known_problems=problems)
    position = progress.view.current
    if reasons and position is not None:
        address = progress.nodes[position].planned.address
        kept = [each for each in run.plan.overrides.get(address, []) if each["name"] not in reasons]
        own = [*kept, *({"name": name, "reason": reason} for name, reason in reasons.items())]
        Plan.objects.filter(pk=run.plan_id).update(overrides={**run.plan.overrides, address: own})


def _changed(plan: Plan, position: int, changes: Mapping[str, Mapping[str, object]], *, all_left: bool) -> PlanDocument:
    """Give the plan with changed values of the nodes from this position on."""
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
    return read_document(document)


def _skip(run: Run, node: NodeInRun, by: User) -> None:
    """End the attempt of the node, if it is open; the worker finds out whether the node came into the cluster."""
    if node.progress is NodeProgress.SKIPPING:  # the operator confirms that the node will not come
        RunStep.objects.filter(run=run, position=node.position).update(skipped_at=now())
        return
    assert node.step is not None  # noqa: S101 - a node that can be skipped was chosen
    RunStep.objects.filter(pk=node.step.pk).update(skip_requested=True)
    if node.attempt and node.attempt.is_open:
        way_out = Choice.STOP_WATCHING if node.attempt.may_have_sent else Choice.CANCEL
        try:
            attempts_engine.choose(node.attempt.pk, way_out, by=by)
        except attempts_engine.ChoiceRefused as refusal:  # it went on meanwhile
            raise ChoiceRefused("busy", refusal.message) from refusal
