"""The calls of plans: a whole cluster, described once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_variables
from ninja import Router, Status

from setup_wizard.access.permissions import Permission, signed_in_user
from setup_wizard.access.throttle import TooManyRequests
from setup_wizard.api import plan_schemas
from setup_wizard.api.errors import Problem, invalid, responses, too_many
from setup_wizard.api.sign_ins import read_sign_in
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.clusters import engine, whole_plans
from setup_wizard.clusters.document import InvalidPlan, PlannedNode
from setup_wizard.clusters.engine import RunChoice
from setup_wizard.clusters.host_snippet import host_command
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.clusters.run_report import RunReport
from setup_wizard.clusters.whole_plans import ChecksFailed, WholePlan
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.probing import ProbeFailed, TooManyProbes

router = Router()


@router.post("", response=responses(201, plan_schemas.PlanStartedOut, 400, 422, 429), summary="Start a plan")
@sensitive_variables()
def start_plan(request: HttpRequest, response: HttpResponse, body: plan_schemas.PlanIn) -> Status[Any]:
    """Check every node of a cluster, and start: one node after the other, each when the previous one is active.

    The first node creates the cluster, unless `members` names nodes of a cluster that exists or `recovery_filename` a
    cluster to recover. Naming a fingerprint approves it. 422 `preflight_failed`: a check failed, `fields` says which,
    and nothing was changed. The credentials are stored encrypted until the run has ended, and are never shown.
    """
    plan = _read(body)
    with _limits():
        try:
            run = whole_plans.start_whole_plan(plan, by=signed_in_user(request))
        except InvalidPlan as error:
            raise invalid(error.fields) from None
        except ChecksFailed as error:
            message = "A check failed. No node was changed."
            raise Problem(422, "preflight_failed", message, error.fields) from None
    started = plan_schemas.PlanStartedOut.of(run)
    response["Location"] = started.url
    return Status(201, started)


@router.post(
    "/preflight",
    response=responses(200, plan_schemas.PlanPreflightOut, 400, 422, 429),
    summary="Check a plan before it starts",
)
@sensitive_variables()
def preflight_plan(request: HttpRequest, body: plan_schemas.PlanIn) -> plan_schemas.PlanPreflightOut:
    """Run every check of a start for every node. Nothing is changed, and nothing is approved.

    The output of `host_command`, sent as `host_facts`, adds what the API of a node does not tell; it never blocks.
    `ready` is false when a check blocks the start, or a check that can be overridden is not in `overrides`. At a
    cluster to extend, the credentials sign in once, and once more through each node that checks its request itself.
    """
    plan = _read(body)
    with _limits():
        try:
            nodes = whole_plans.check_whole_plan(plan, by=signed_in_user(request))
        except InvalidPlan as error:
            raise invalid(error.fields) from None
    return plan_schemas.PlanPreflightOut(
        nodes=[plan_schemas.CheckedNodeOut.of(node) for node in nodes],
        ready=not any(node.refused for node in nodes),
        host_command=host_command(plan.content),
    )


@router.get("/{uuid:plan_id}", response=responses(200, plan_schemas.PlanOut, 404), summary="Show a plan")
def show_plan(request: HttpRequest, plan_id: UUID) -> plan_schemas.PlanOut:
    """Show the state of its run, each node with its latest attempt, and what you can do."""
    plan = get_object_or_404(Plan, pk=plan_id)
    if not (hasattr(plan, "run") or request.user.has_perm(Permission.OPERATE)):
        raise Http404
    return plan_schemas.PlanOut.of(plan)


@router.get(
    "/{uuid:plan_id}/report",
    response=responses(200, plan_schemas.RunReportOut, 404),
    summary="Show the report of a run",
)
def show_report(request: HttpRequest, plan_id: UUID) -> dict[str, Any]:
    """Show everything about a run: the plan, each attempt with its events, pauses, decisions and accepted checks."""
    run = get_object_or_404(Run.objects.select_related("plan", "started_by", "continued_by"), plan=plan_id)
    return RunReport(run, signed_in_user(request)).as_json()


CHOICE_RESPONSES = responses(200, plan_schemas.PlanOut, 404, 409)


def _add_choice(choice: RunChoice, name: str) -> None:
    """Add the call of a choice that needs no input."""

    def choose(request: HttpRequest, plan_id: UUID) -> plan_schemas.PlanOut:
        return _choose(plan_id, lambda run: engine.choose(run, choice, by=signed_in_user(request)))

    choose.__name__ = name
    choose.__doc__ = choice.effect
    router.post(f"/{{uuid:plan_id}}/{choice.value}", response=CHOICE_RESPONSES, summary=choice.label)(choose)


_add_choice(RunChoice.PAUSE, "pause_plan")
_add_choice(RunChoice.SKIP, "skip_node")
_add_choice(RunChoice.STOP, "stop_plan")


@router.post(
    "/{uuid:plan_id}/resume",
    response=responses(200, plan_schemas.PlanOut, 400, 404, 409, 422),
    summary=RunChoice.RESUME.label,
)
@sensitive_variables()
def resume_plan(request: HttpRequest, plan_id: UUID, body: plan_schemas.ResumeIn | None = None) -> plan_schemas.PlanOut:
    """Continue with the next node, with the stored or with new credentials.

    New credentials replace the stored ones. They are stored encrypted until the run has ended, and are never shown.
    """
    by, entered = signed_in_user(request), _credentials(body)
    return _choose(plan_id, lambda run: engine.choose(run, RunChoice.RESUME, by=by, credentials=entered))


@router.post(
    "/{uuid:plan_id}/retry",
    response=responses(200, plan_schemas.PlanOut, 400, 404, 409, 422, 429),
    summary=RunChoice.RETRY.label,
)
@sensitive_variables()
def retry_node(request: HttpRequest, plan_id: UUID, body: plan_schemas.RetryIn) -> plan_schemas.PlanOut:
    """Set up the node that failed again, with the same or with changed values.

    New credentials replace the stored ones. They are stored encrypted until the run has ended, and are never shown.
    """
    by = signed_in_user(request)
    run = get_object_or_404(Run.objects.select_related("plan"), plan=plan_id)
    changes = _read_changes(run.plan, body.nodes)
    entered = _credentials(body)

    def apply(found: UUID) -> Run:
        engine.check_retry(found, changes, all_left=body.all_left, with_credentials=entered is not None)
        _approve_named(changes, by)  # only when nothing else refuses the call
        return engine.retry(found, changes, all_left=body.all_left, by=by, credentials=entered)

    try:
        return _choose(plan_id, apply)
    except InvalidPlan as error:
        raise invalid(dict(_by_address(run.plan, error.fields))) from None


def _approve_named(changes: dict[str, dict[str, Any]], by: User) -> None:
    """Approve the certificate of each node whose changes name its fingerprint."""
    with _limits():
        for address, values in changes.items():
            if fingerprint := values.get("fingerprint"):
                try:
                    whole_plans.approve_named(address, str(fingerprint), by=by)
                except TooManyProbes:
                    raise
                except (ProbeFailed, ValueError) as error:
                    raise invalid({f"nodes.{address}.fingerprint": [str(error)]}) from None


@router.post(
    "/{uuid:plan_id}/rack-awareness",
    response=responses(200, plan_schemas.PlanOut, 400, 404, 409, 422),
    summary="Turn on rack awareness",
)
@sensitive_variables()
def turn_on_rack_awareness(
    request: HttpRequest, plan_id: UUID, body: plan_schemas.RackAwarenessIn
) -> plan_schemas.PlanOut:
    """Turn on the rack awareness that was asked for and that the bootstrap did not set; it cannot be turned off again.

    A run that has succeeded lists `rack-awareness` in its `choices` when there is something to do. The cluster is read
    again afterwards. 409 `not_done`: the message says why; nothing was changed, or the cluster does not confirm it.
    """
    if not body.confirmed:
        raise invalid({"confirmed": [f"Send true to confirm: {engine.CONSENT}"]})
    by, entered = signed_in_user(request), _credentials(plan_schemas.ResumeIn(credentials=body.credentials))
    return _choose(plan_id, lambda run: engine.turn_on_rack_awareness(run, entered or Credentials(), by=by))


@sensitive_variables()
def _read(body: plan_schemas.PlanIn) -> WholePlan:
    try:
        return whole_plans.read_whole_plan(body.root)
    except InvalidPlan as error:
        raise invalid({path or "body": messages for path, messages in error.fields.items()}) from None


@sensitive_variables()
def _credentials(body: plan_schemas.ResumeIn | None) -> Credentials | None:
    if body is None or body.credentials is None:
        return None
    return read_sign_in(body.credentials.username, body.credentials.password, above="credentials.")


@contextmanager
def _limits() -> Iterator[None]:
    try:
        yield
    except (TooManyRequests, TooManyProbes) as refusal:
        raise too_many(refusal.message, refusal.retry_after) from refusal


def _choose(plan_id: UUID, choose: Callable[[UUID], Run]) -> plan_schemas.PlanOut:
    run = get_object_or_404(Run, plan=plan_id)
    try:
        choose(run.pk)
    except engine.ChoiceRefused as refusal:
        raise Problem(409, refusal.code, refusal.message) from refusal
    return plan_schemas.PlanOut.of(get_object_or_404(Plan, pk=plan_id))


def _read_changes(plan: Plan, entered: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the changes by the address as the plan has it; refuse nodes and fields that there are not."""
    known, wrong, changes = {node.address for node in plan.content.nodes}, {}, {}
    fields = set(PlannedNode.model_fields) - {"address"}
    for typed, values in entered.items():
        address = typed
        try:
            address = str(Address.parse(typed))
        except AddressInvalid as error:
            wrong[f"nodes.{typed[:60]}"] = [str(error)]
            continue
        if address not in known:
            wrong[f"nodes.{typed[:60]}"] = ["This node is not in the plan."]
        wrong |= {f"nodes.{typed[:60]}.{name[:60]}": ["Unknown field."] for name in values if name not in fields}
        changes[address] = values
    if wrong:
        raise invalid(wrong)
    return changes


def _by_address(plan: Plan, fields: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """Name the nodes in paths by their address, as the body does."""
    nodes = plan.content.nodes
    for path, messages in fields.items():
        head, _, rest = path.partition(".")
        position, _, name = rest.partition(".")
        is_node = head == "nodes" and position.isdecimal() and int(position) < len(nodes)
        yield (f"nodes.{nodes[int(position)].address}.{name}".rstrip(".") if is_node else path), messages
