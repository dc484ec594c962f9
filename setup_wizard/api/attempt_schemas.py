"""Request and response bodies of attempts: start, choose, list, show."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from setup_wizard.api.schemas import LARGEST_NUMBER, NO_NUL, ROOT, DescribedAs, Fingerprint, NodeAddress, StrictSchema
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.preflight import MAX_REASON
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap import error_catalogue
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.history.search import MAX_QUERY_LENGTH

MAX_PEM = 65_536  # characters
EXAMPLE = {
    "action": "create_cluster",
    "cluster": {"name": "redis-prod.example.com", "nodes": []},
    "node": {
        "paths": {
            "persistent_path": "/var/opt/redislabs/persist",
            "ephemeral_path": "/var/opt/redislabs/tmp",
        },
        "identity": {"addr": "10.0.0.5"},
    },
    "credentials": {"username": "admin@example.com", "password": "…"},
}

MOMENT = "ISO 8601: a date, or a date and a time; UTC unless it names an offset."


def _empty_is_none(value: Any) -> Any:
    return value or None


def _moment(value: str | None) -> datetime | None:
    moment = datetime.fromisoformat(value) if value else None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _or_empty(text_format: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", "format": text_format}, {"type": "string", "const": ""}]})


OptionalId = Annotated[UUID | None, BeforeValidator(_empty_is_none), _or_empty("uuid")]
Moment = Annotated[datetime | None, BeforeValidator(_moment), _or_empty("date-time")]


# read by `parse_request`
BootstrapObject = Annotated[
    dict[str, Any], DescribedAs(BootstrapRequest, required=("action", "credentials"), example=EXAMPLE)
]
CheckName = Annotated[str, StringConstraints(max_length=64)]


class OverrideIn(StrictSchema):
    """A failed check to accept, and why."""

    name: CheckName
    reason: Annotated[str, StringConstraints(max_length=MAX_REASON, pattern=NO_NUL)] = ""


class StartIn(StrictSchema):
    """What to start, on which node, and what is approved."""

    address: NodeAddress
    fingerprint: Fingerprint = Field(
        description="The fingerprint of the node's certificate, compared with the node itself. Naming it approves it.",
    )
    member_fingerprint: Fingerprint | None = Field(
        None, description="For a join: the fingerprint of the member's certificate; null when it is already approved."
    )
    accept_new_certificate: bool = Field(
        default=False,
        description="For a create or a recovery: trust the new certificate that the node creates during setup.",
    )
    overrides: list[CheckName | OverrideIn] = Field(
        default_factory=list,
        max_length=32,
        description="Failed checks to accept, each with a reason or as a bare name, and warnings that need a "
        "confirmation. `can_override` in the answer of `/preflight` says which can be accepted.",
    )
    bootstrap: BootstrapObject = Field(description="The bootstrap object of the node's own API.")


class RenderingsOut(Schema):
    """The request in four forms, each as text. Secrets are asterisks or variables."""

    body: str = Field(alias="json")  # the framework's class has a method with that name
    curl: str
    rladmin: str
    ansible: str


class ChoiceIn(StrictSchema):
    """A choice."""

    seq: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] | None = Field(
        None,
        description="The number of the event that offered this choice, from `choices`, or of a later event that you "
        "have read. Without it, or when the attempt has changed since: 409 `changed`.",
    )


class FingerprintIn(ChoiceIn):
    """The certificate to approve."""

    fingerprint: Fingerprint


class CredentialsIn(StrictSchema):
    """The credentials, entered again: `username` and `password`, or `client_cert` and `client_key`."""

    seq: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] | None = Field(
        None, description="As for other choices, but optional."
    )

    username: str = Field("", max_length=254)
    password: str = Field("", max_length=4096, json_schema_extra={"format": "password", "writeOnly": True})
    client_cert: str = Field(
        "", max_length=MAX_PEM, description="A client certificate in PEM, with `client_key`, in place of a password."
    )
    client_key: str = Field("", max_length=MAX_PEM, json_schema_extra={"format": "password", "writeOnly": True})
    trusted_ca: str = Field(
        "",
        max_length=MAX_PEM,
        description="The authority (PEM) of the cluster's certificate, for the node that joins. Without it, that of "
        "the request stays.",
    )
    send_anyway: bool = Field(
        default=False,
        description="Send them even if the cluster has refused them or may lock the account for everyone.",
    )


class ListParameters(Schema):
    """Filters of the list, and where to continue; an empty value is none."""

    state: Literal["", *(state.value for state in State)] = ""  # type: ignore[valid-type]
    action: Literal["", *(action.value for action in Action)] = ""  # type: ignore[valid-type]
    code: str = Field("", max_length=64, pattern=NO_NUL, description="The error code of the node.")
    since: Moment = Field(None, alias="from", description=f"Created at this time or later. {MOMENT}")
    until: Moment = Field(None, alias="to", description=f"Created before this time. {MOMENT}")
    q: str = Field(
        "",
        max_length=MAX_QUERY_LENGTH,
        pattern=NO_NUL,
        description="Part of a node's address, a cluster's name, an error code or a reason.",
    )
    after: OptionalId = Field(
        None, description="The id of the last attempt that you have; the list continues after it."
    )


class After(Schema):
    """Where the list of events starts."""

    after: Annotated[int, BeforeValidator(lambda value: value or 0)] = Field(
        0, ge=0, le=LARGEST_NUMBER, description="The number of the last event that you have."
    )


class StartedOut(Schema):
    """An attempt that was started."""

    id: UUID
    state: Literal[*State]  # type: ignore[valid-type]
    url: str = Field(description="Its URL, without the host.")

    @classmethod
    def of(cls, attempt: Attempt) -> "StartedOut":
        """Build it from an attempt."""
        return cls(id=attempt.pk, state=attempt.status.value, url=url_of(attempt))


class WarnedStartOut(StartedOut):
    """An attempt that was started, with warnings."""

    warnings: list[str] = Field(description="For people; only present when there are warnings.")


class ChoiceOut(Schema):
    """A choice that the attempt offers now, and the URL to post to."""

    name: str
    url: str


class ConfirmedChoiceOut(ChoiceOut):
    """A choice that cannot be undone: post it with `seq`, the event that offered it."""

    seq: int

    @classmethod
    def of(cls, choice: Choice, attempt: Attempt) -> "ChoiceOut":
        """Build it from a choice of the attempt; with `seq` where the choice needs it."""
        url = f"{url_of(attempt)}/{choice.value}"
        if not choice.confirmation:
            return ChoiceOut(name=choice.value, url=url)
        return cls(name=choice.value, url=url, seq=attempt.offered_seq)


class FigureOut(Schema):
    """One value of an explanation: on this node, in the cluster, and what is needed. Each may be empty."""

    label: str
    here: str
    cluster: str
    needed: str


class RemedyOut(Schema):
    """One way to fix it: `part` is the field to change, and `change` has the new values by the path of their field.

    Without `part` the same request can be sent again. Without `change` the value is yours to choose.
    """

    label: str
    part: str
    change: dict[str, Any]


class ExplanationOut(Schema):
    """What is wrong and what to do; `part` is the field of the bootstrap object to change, or empty."""

    title: str
    meaning: str
    figures: list[FigureOut]
    causes: list[str]
    checks: list[str]
    part: str
    remedies: list[RemedyOut]

    @classmethod
    def of(cls, explanation: error_catalogue.Explanation) -> "ExplanationOut":
        """Build it from an explanation."""
        return cls(
            title=explanation.title,
            meaning=explanation.meaning,
            figures=[FigureOut(**asdict(each)) for each in explanation.figures],
            causes=list(explanation.causes),
            checks=list(explanation.checks),
            part=explanation.part,
            remedies=[
                RemedyOut(label=each.label, part=each.part, change=dict(each.values)) for each in explanation.remedies
            ],
        )


class AttemptOut(Schema):
    """One attempt."""

    id: UUID
    address: str
    action: str
    cluster: str = Field(description="Its name; empty while only a member is known.")
    state: Literal[*State]  # type: ignore[valid-type]
    reason: str = Field(description="Why it ended or waits; empty otherwise.")
    choices: list[ConfirmedChoiceOut | ChoiceOut]
    node_state: str = Field(description="The node's last status.")
    error_code: str = Field(description="The error code of the node, and only that.")
    error_details: dict[str, Any]
    explanation: ExplanationOut | None
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptOut":
        """Build it from an attempt."""
        explanation = explain(attempt)
        return cls(
            id=attempt.pk,
            address=attempt.address,
            action=attempt.action,
            cluster=attempt.cluster_name,
            state=attempt.status.value,
            reason=attempt.reason,
            choices=[ConfirmedChoiceOut.of(choice, attempt) for choice in attempt.choices],
            node_state=attempt.node_state,
            error_code=attempt.error_code,
            error_details=attempt.error_details or {},
            explanation=ExplanationOut.of(explanation) if explanation else None,
            requested_by=attempt.requested_by.get_username(),
            created_at=attempt.created_at,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
        )


class ListOut(Schema):
    """One page of the list, the newest first."""

    results: list[AttemptOut]
    next: str | None = Field(description="The whole URL of the next page; null on the last.")
    count: int | None = Field(description="How many attempts match; null when more than 10,000.")


class EventOut(Schema):
    """One event."""

    seq: int
    at: datetime
    kind: str
    message: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        """Build it from an event."""
        return cls(seq=event.seq, at=event.at, kind=event.kind, message=event.message, data=event.data)


class EventsOut(Schema):
    """Events in order, at most 1,000; for more, request again after the last number."""

    events: list[EventOut]


def url_of(attempt: Attempt) -> str:
    """Return the URL of an attempt in the API."""
    return f"{ROOT}/attempts/{attempt.pk}"
