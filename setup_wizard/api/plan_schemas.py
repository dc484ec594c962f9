"""Request (In) and response (Out) bodies of plans."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field, RootModel

from setup_wizard.api.attempt_schemas import ChoiceOut
from setup_wizard.api.check_schemas import CheckOut
from setup_wizard.api.schemas import ROOT, DescribedAs, StrictSchema
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.clusters.decisions import NodeProgress, RunState
from setup_wizard.clusters.engine import CONSENT, RunChoice, choices_of, offers_rack_awareness
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.clusters.progress import NodeInRun, RunProgress
from setup_wizard.clusters.whole_plans import CheckedNode, WholePlan

DRAFT = "draft"
RACK_AWARENESS = "rack-awareness"
EXAMPLE = {
    "cluster": {"name": "redis-prod.example.com", "rack_aware": True},
    "credentials": {"username": "admin@example.com", "password": "…"},
    "accept_new_certificate": True,
    "nodes": [
        {"address": f"10.0.0.{number}:9443", "fingerprint": ":".join(["AB"] * 32), "rack_id": f"rack-{number}"}
        for number in (1, 2, 3)
    ],
}


# read by `read_whole_plan`
PlanBody = Annotated[dict[str, Any], DescribedAs(WholePlan, required=("credentials", "nodes"), example=EXAMPLE)]


class PlanIn(RootModel[PlanBody]):
    """A plan with its credentials."""


class RunCredentialsIn(StrictSchema):
    """The credentials of the cluster's administrator, entered again."""

    username: str = Field(max_length=254)
    password: Secret


class ResumeIn(StrictSchema):
    """What a run continues with."""

    credentials: RunCredentialsIn | None = Field(
        default=None,
        description="Credentials to replace the stored ones; needed when those have expired.",
    )


class RetryIn(ResumeIn):
    """What changes before the node that failed is set up again."""

    nodes: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=50,
        description="The fields to change, by the address of the node, as in the plan. Naming another fingerprint "
        "approves it.",
    )
    all_left: bool = Field(
        default=False,
        description="Change every node that is left, too, unless `nodes` has other changes for it.",
    )


class RackAwarenessIn(StrictSchema):
    """The consent to turn rack awareness on, and the credentials for it."""

    credentials: RunCredentialsIn = Field(description="Of the cluster's administrator. They are not stored.")
    confirmed: bool = Field(default=False, description=f"{CONSENT} Must be true.")


class PlanStartedOut(Schema):
    """A plan that was started."""

    id: UUID
    url: str = Field(description="Its URL, without the host.")
    attempts: list[UUID] = Field(description="The attempts so far: none, the first begins in a moment.")

    @classmethod
    def of(cls, run: Run) -> "PlanStartedOut":
        """Build it from a run."""
        return cls(id=run.pk, url=url_of(run.pk), attempts=[step.attempt_id for step in run.steps.all()])


class WitnessesOut(Schema):
    """What proves that a node came in; empty before it was asked."""

    node: str = Field(description="The status that the node reports: `completed`.")
    cluster: str = Field(description="The status in the cluster's list of nodes: `active`.")


class PlannedNodeOut(Schema):
    """One node of a plan."""

    address: str
    state: Literal[*NodeProgress]  # type: ignore[valid-type]
    attempt: UUID | None = Field(description="Its latest attempt.")
    uid: str = Field(description="Its ID in the cluster; empty until it is known.")
    witnesses: WitnessesOut

    @classmethod
    def of(cls, node: NodeInRun) -> "PlannedNodeOut":
        """Build it from a node of a run."""
        attempt = node.attempt
        return cls(
            address=node.planned.address,
            state=node.progress.value,
            attempt=attempt.pk if attempt else None,
            uid=str(attempt.node_uid or "") if attempt else "",
            witnesses=WitnessesOut(
                node=attempt.node_state if attempt else "", cluster=attempt.listed_as if attempt else ""
            ),
        )


class PlanOut(Schema):
    """A plan and its run."""

    id: UUID
    url: str
    state: Literal["draft", *RunState]  # type: ignore[valid-type]
    reason: str = Field(description="Why the run is paused; empty otherwise.")
    message: str = Field(description="What paused the run, for people; empty otherwise.")
    cluster: str = Field(description="The cluster's name, or a member of it.")
    choices: list[ChoiceOut]
    nodes: list[PlannedNodeOut]
    started_by: str
    continued_by: str = Field(
        description="Who took the run over from a person who may no longer set up nodes; empty otherwise."
    )
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, plan: Plan) -> "PlanOut":
        """Build it from a plan."""
        run = Run.objects.select_related("plan", "started_by", "continued_by").filter(plan=plan).first()
        if run is None:
            nodes = [NodeInRun(position, node) for position, node in enumerate(plan.content.nodes)]
            return cls(
                id=plan.pk,
                url=url_of(plan.pk),
                state=DRAFT,
                reason="",
                message="",
                cluster=plan.target,
                choices=[],
                nodes=[PlannedNodeOut.of(node) for node in nodes],
                started_by="",
                continued_by="",
                started_at=None,
                ended_at=None,
            )
        progress = RunProgress(run)
        return cls(
            id=plan.pk,
            url=url_of(plan.pk),
            state=run.status.value,
            reason=run.reason,
            message=run.why_paused,
            cluster=plan.target,
            choices=_choices(progress),
            nodes=[PlannedNodeOut.of(node) for node in progress.nodes],
            started_by=run.started_by.get_username(),
            continued_by=run.continued_by.get_username() if run.continued_by else "",
            started_at=run.created_at,
            ended_at=run.ended_at,
        )


class RunReportOut(Schema):
    """Everything about a run, for a ticket; times are ISO 8601 in UTC, and secrets are masked."""

    id: UUID
    title: str
    headline: str
    state: Literal[*RunState]  # type: ignore[valid-type]
    reason: str
    message: str
    cluster: str
    started_by: str
    continued_by: str | None
    started_at: str
    ended_at: str | None
    duration: str
    confirmed: list[str] = Field(description="What was confirmed at Start.")
    accepted: list[dict[str, Any]] = Field(description="Failed checks that were accepted, with their reasons.")
    nodes: list[dict[str, Any]] = Field(description="The nodes in order, with their state.")
    pauses: list[dict[str, Any]] = Field(description="From when to when, why, and who ended it.")
    events: list[dict[str, Any]] = Field(description="Every event of the run, with who decided and what was changed.")
    attempts: list[dict[str, Any]] = Field(
        description="Every attempt with its events; of those of others that you may not see, only the state."
    )
    plan: dict[str, Any] = Field(description="The plan, without secrets.")


class CheckedNodeOut(Schema):
    """The checks of one node of a plan."""

    address: str
    checks: list[CheckOut]

    @classmethod
    def of(cls, node: CheckedNode) -> "CheckedNodeOut":
        """Build it from a node that was checked; the fields of each check are those of the plan."""
        shown = [each for each in node.outcomes if each.result.message]
        checks = [CheckOut.of(each, node.path_of(each), node.path_in_plan) for each in shown]
        return cls(address=node.address, checks=checks)


class PlanPreflightOut(Schema):
    """Every check of every node, and whether the same body would start the run."""

    nodes: list[CheckedNodeOut]
    ready: bool
    host_command: str = Field(
        description="A shell command that reads on each node, over ssh, what its API does not tell. It changes "
        "nothing. Send its output as `host_facts`."
    )


def url_of(plan: UUID) -> str:
    """Return the URL of a plan in the API."""
    return f"{ROOT}/plans/{plan}"


def _choices(progress: RunProgress) -> list[ChoiceOut]:
    found = [_choice(choice, progress) for choice in choices_of(progress)]
    if offers_rack_awareness(progress):
        found.append(ChoiceOut(name=RACK_AWARENESS, url=f"{url_of(progress.run.pk)}/{RACK_AWARENESS}"))
    return found


def _choice(choice: RunChoice, progress: RunProgress) -> ChoiceOut:
    """Describe a choice; credentials are entered with the choice that they make possible, which comes first then."""
    call = choices_of(progress, with_credentials=True)[0] if choice is RunChoice.CREDENTIALS else choice
    return ChoiceOut(name=choice.value, url=f"{url_of(progress.run.pk)}/{call.value}")
