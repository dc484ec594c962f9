"""What comes in and goes out, as types; what they say is also what openapi.json says."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap import error_catalogue
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.history.search import MAX_QUERY_LENGTH
from setup_wizard.nodes.probe import Probe

ROOT = "/api/v1"
LARGEST_NUMBER = 2**31 - 1
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

NodeAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    Field(description="A host and, if it is not 9443, a port.", examples=["10.0.0.5:9443"]),
]
Fingerprint = Annotated[
    str,
    StringConstraints(min_length=64, max_length=130),
    Field(description="SHA-256, in hex pairs with or without colons.", examples=[":".join(["AB"] * 32)]),
]


MOMENT = "ISO 8601: a date, or a date and a time; UTC unless it names an offset."


def _empty_is_none(value: Any) -> Any:
    return value or None


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


OptionalId = Annotated[UUID | None, BeforeValidator(_empty_is_none)]
Moment = Annotated[datetime | None, BeforeValidator(_empty_is_none), AfterValidator(_in_utc)]


class _AsBootstrap:
    """Describe a field as the bootstrap object, which `parse_request` reads later with all its mistakes at once."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        written = handler(BootstrapRequest.__pydantic_core_schema__)
        described = handler.resolve_ref_schema(written)
        described["required"] = ["action", "credentials"]
        described["example"] = EXAMPLE
        return written


class Sent(Schema):
    """Something that comes in: only the fields that there are, each of its own type."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class ProbeSent(Sent):
    """Which node to ask."""

    address: NodeAddress


class StartSent(Sent):
    """What to start, on which node, and what of it is approved."""

    address: NodeAddress
    fingerprint: Fingerprint = Field(
        description="The certificate that the node shows, as compared with the node itself: naming it approves it.",
    )
    member_fingerprint: Fingerprint | None = Field(
        None, description="For a join: the certificate of the cluster's member. null when it is approved already."
    )
    accept_new_certificate: bool = Field(
        default=False,
        description="For a create or a recovery: accept the one certificate that the node makes during its bootstrap.",
    )
    overrides: list[Annotated[str, StringConstraints(max_length=64)]] = Field(
        default_factory=list,
        max_length=32,
        description="Names of failed checks that are accepted. Warnings never block, so naming one changes nothing. "
        "None of the checks that block can be accepted, because each of them keeps a promise to you: `node_state`, "
        "`certificate`, `node_free`, `member`, `member_certificate`.",
    )
    bootstrap: Annotated[dict[str, Any], _AsBootstrap] = Field(
        description="The bootstrap object of the node's own API."
    )


class ChoiceSent(Sent):
    """A choice, by the event that offered it."""

    seq: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] | None = Field(
        None,
        description="The number of the event that offered this choice, as `choices` shows it, or of a later one that "
        "you have seen. 409 `changed` when the attempt offers something else since then, and without it.",
    )


class FingerprintSent(ChoiceSent):
    """The certificate to approve."""

    fingerprint: Fingerprint


class CredentialsSent(Sent):
    """The sign-in, entered again."""

    seq: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] | None = Field(
        None, description="As with the other choices, but optional: nothing that this does is final."
    )

    username: str = Field(max_length=254)
    password: str = Field(max_length=4096, json_schema_extra={"format": "password", "writeOnly": True})
    send_anyway: bool = Field(
        default=False, description="Send them although the cluster refused them, or may lock the account for everyone."
    )


class ListParameters(Schema):
    """Filters of the list, and where to continue; an empty value is none."""

    state: Literal["", *(state.value for state in State)] = ""  # type: ignore[valid-type]
    action: Literal["", *(action.value for action in Action)] = ""  # type: ignore[valid-type]
    code: str = Field("", max_length=64, description="The error code of the node.")
    since: Moment = Field(None, alias="from", description=f"Created at this time or later. {MOMENT}")
    until: Moment = Field(None, alias="to", description=f"Created before this time. {MOMENT}")
    q: str = Field(
        "",
        max_length=MAX_QUERY_LENGTH,
        description="Part of a node's address, a cluster's name, an error code or a reason.",
    )
    after: OptionalId = Field(
        None, description="The id of the last attempt that you have; the list continues after it."
    )


class After(Schema):
    """Which events are known."""

    after: Annotated[int, BeforeValidator(lambda value: value or 0)] = Field(
        0, ge=0, le=LARGEST_NUMBER, description="The number of the last event that is known."
    )


class ProblemShown(Schema):
    """A refusal."""

    error: str = Field(description="For programs.")
    message: str = Field(description="For people.")
    fields: dict[str, list[str]] = Field(description="What is wrong, by the path of the field.")


class CertificateShown(Schema):
    """What a certificate says of itself."""

    subject: str
    issuer: str
    not_before: datetime | None
    not_after: datetime | None
    self_signed: bool


class AddressShown(Schema):
    """One address that a node has."""

    address: str
    format: str
    if_name: str
    private: bool | None
    is_bridge: bool


class NodeShown(Schema):
    """What a node says of itself, null where it says nothing. Sizes are as the node counts them: bytes, today."""

    uid: str | None
    software_version: str | None
    os_version: str | None
    os_name: str | None
    os_family: str | None
    os_semantic_version: str | None
    architecture: str | None
    short_hostname: str | None
    cores: float | None
    total_memory: float | None
    uptime: float | None
    ephemeral_storage_path: str | None
    ephemeral_storage_size: float | None
    persistent_storage_path: str | None
    persistent_storage_size: float | None
    bigredis_storage_path: str | None
    bigredis_storage_size: float | None
    fips_enabled: bool | None
    addresses: list[AddressShown]
    supported_bigstore_drivers: list[str]


class ProbeShown(Schema):
    """A node that answered."""

    address: str
    fingerprint: str
    certificate: CertificateShown
    state: str = Field(description="The node's own word; `completed` for a member that wants a sign-in.")
    node: NodeShown

    @classmethod
    def of(cls, probe: Probe) -> "ProbeShown":
        """Show what a node said."""
        facts = probe.answer.node if probe.answer else NodeFacts()
        return cls.model_validate(
            {
                "address": str(probe.address),
                "fingerprint": probe.certificate.fingerprint,
                "certificate": probe.certificate.as_json(),
                "state": probe.answer.status.word if probe.answer else "completed",
                "node": facts.as_json(),
            }
        )


class StartedShown(Schema):
    """An attempt that has begun."""

    id: UUID
    state: Literal[*State]  # type: ignore[valid-type]
    url: str = Field(description="Where it can be followed, without host.")

    @classmethod
    def of(cls, attempt: Attempt) -> "StartedShown":
        """Show where to follow it."""
        return cls(id=attempt.pk, state=attempt.status.value, url=url_of(attempt))


class WarnedStartShown(StartedShown):
    """An attempt that has begun, with what may not be meant."""

    warnings: list[str] = Field(description="For people; only there when there is something to say.")


class ChoiceShown(Schema):
    """What can be done about an attempt now, and the URL to post to."""

    name: str
    url: str


class ConfirmedChoiceShown(ChoiceShown):
    """A choice that cannot be taken back: it has to be posted with `seq`, the event that offered it."""

    seq: int

    @classmethod
    def of(cls, choice: Choice, attempt: Attempt) -> "ChoiceShown":
        """Show a choice of the attempt, with its event where it needs one."""
        url = f"{url_of(attempt)}/{choice.value}"
        if not choice.confirmation:
            return ChoiceShown(name=choice.value, url=url)
        return cls(name=choice.value, url=url, seq=attempt.offered_seq)


class ExplanationShown(Schema):
    """What is wrong and what to do; `part` is the field of the bootstrap object to change, or empty."""

    title: str
    meaning: str
    causes: list[str]
    checks: list[str]
    part: str

    @classmethod
    def of(cls, explanation: error_catalogue.Explanation) -> "ExplanationShown":
        """Leave out the buttons, which are for people."""
        return cls(
            title=explanation.title,
            meaning=explanation.meaning,
            causes=list(explanation.causes),
            checks=list(explanation.checks),
            part=explanation.part,
        )


class AttemptShown(Schema):
    """One attempt."""

    id: UUID
    address: str
    action: str
    cluster: str = Field(description="Its name; empty while only a member of it is known.")
    state: Literal[*State]  # type: ignore[valid-type]
    reason: str = Field(description="Why it ended or rests, in our words; empty when there is nothing to say.")
    choices: list[ConfirmedChoiceShown | ChoiceShown]
    node_state: str = Field(description="The node's own word.")
    error_code: str = Field(description="The node's own code, and only that.")
    error_details: dict[str, Any]
    explanation: ExplanationShown | None
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptShown":
        """Show an attempt as the pages do."""
        explanation = explain(attempt)
        return cls(
            id=attempt.pk,
            address=attempt.address,
            action=attempt.action,
            cluster=attempt.cluster_name,
            state=attempt.status.value,
            reason=attempt.reason,
            choices=[ConfirmedChoiceShown.of(choice, attempt) for choice in attempt.choices],
            node_state=attempt.node_state,
            error_code=attempt.error_code,
            error_details=attempt.error_details or {},
            explanation=ExplanationShown.of(explanation) if explanation else None,
            requested_by=attempt.requested_by.get_username(),
            created_at=attempt.created_at,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
        )


class ListShown(Schema):
    """One page of the list, the newest first."""

    results: list[AttemptShown]
    next: str | None = Field(description="Where the next page is, without host; null on the last.")
    count: int | None = Field(description="How many there are; null when they are more than 10,000.")


class EventShown(Schema):
    """One thing that happened."""

    seq: int
    at: datetime
    kind: str
    message: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "EventShown":
        """Show an event."""
        return cls(seq=event.seq, at=event.at, kind=event.kind, message=event.message, data=event.data)


class EventsShown(Schema):
    """Events in the order in which they happened, 1,000 at most: ask again with the last number."""

    events: list[EventShown]


def url_of(attempt: Attempt) -> str:
    """Where an attempt is in the API."""
    return f"{ROOT}/attempts/{attempt.pk}"
