"""The calls of the API. No rules in here."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_variables
from ninja import NinjaAPI, Query, Status
from ninja.errors import ValidationError
from ninja.operation import Operation

from setup_wizard.access.permissions import signed_in_user
from setup_wizard.api import listing, schemas, starting
from setup_wizard.api.errors import Problem, invalid, translate
from setup_wizard.api.parsers import StrictParser, refuse_unknown
from setup_wizard.attempts import engine, visibility
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.certificates import normalise_fingerprint

MOST_EVENTS = 1000
ALWAYS = (400, 401, 403, 405, 413, 415, 500, 503)


class Api(NinjaAPI):
    """The framework's, with operations named as their functions are."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Give the name under which a generated client knows the call."""
        return operation.view_func.__name__


api = Api(
    title="Setup wizard",
    version="1",
    description="Set up nodes of Redis Enterprise clusters and follow each attempt, as the pages do. "
    "`python manage.py api_token USER` makes a token; it is sent as `Authorization: Bearer <token>`.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    parser=StrictParser(),
)
for each in (Exception, Http404, ValidationError):  # the framework has its own for these
    api.add_exception_handler(each, translate)


def answers(good: int, shape: Any, *problems: int) -> dict[Any, type]:
    """Say what may come back: one good answer, and refusals in the one shape."""
    return {good: shape, **dict.fromkeys(sorted({*ALWAYS, *problems}), schemas.ProblemShown)}


@api.post("/probe", response=answers(200, schemas.ProbeShown, 400, 422, 429), summary="Ask a node who it is")
def probe(request: HttpRequest, sent: schemas.ProbeSent) -> schemas.ProbeShown:
    """Ask without a sign-in: certificate, state, and what the node says of itself. Nothing is changed on it.

    Compare the fingerprint with the node itself before you name it in a start. Nodes that are not approved yet can be
    asked so often a minute and no more.
    """
    return schemas.ProbeShown.of(starting.ask(sent.address, "address", by=signed_in_user(request)))


@api.post(
    "/attempts",
    response=answers(201, schemas.WarnedStartShown | schemas.StartedShown, 400, 409, 422, 429),
    summary="Start to set up a node",
)
@sensitive_variables()
def start(request: HttpRequest, response: HttpResponse, sent: schemas.StartSent) -> Status[Any]:
    """Ask the node and, for a join, a member once more, run every check, and begin.

    The answer comes at once; follow the attempt at its `url`. 409 `node_busy`: a setup of this node has not ended.
    422 `preflight_failed`: a check forbids it, and `fields` says which. The password is sealed until the attempt has
    ended, and is never shown.
    """
    attempt = starting.start(sent, by=signed_in_user(request))
    response["Location"] = schemas.url_of(attempt)
    shown = schemas.StartedShown.of(attempt)
    if warnings := starting.warnings_of(sent):
        return Status(201, schemas.WarnedStartShown(**shown.model_dump(), warnings=warnings))
    return Status(201, shown)


@api.get("/attempts", response=answers(200, schemas.ListShown, 422), summary="List attempts")
def list_attempts(request: HttpRequest, parameters: Query[schemas.ListParameters]) -> schemas.ListShown:
    """List attempts, the newest first, 50 at a time; `next` is where the next page is."""
    refuse_unknown(request, schemas.ListParameters)
    return listing.list_attempts(parameters, reader=signed_in_user(request))


@api.get("/attempts/{uuid:attempt_id}", response=answers(200, schemas.AttemptShown, 404), summary="Show an attempt")
def show(request: HttpRequest, attempt_id: UUID) -> schemas.AttemptShown:
    """Show how it stands, what is wrong if something is, and what can be done about it."""
    return schemas.AttemptShown.of(_found(request, attempt_id))


@api.get(
    "/attempts/{uuid:attempt_id}/events",
    response=answers(200, schemas.EventsShown, 404, 422),
    summary="Show what happened in an attempt",
)
def list_events(request: HttpRequest, attempt_id: UUID, known: Query[schemas.After]) -> schemas.EventsShown:
    """List the events after the one that is known, in the order in which they happened."""
    refuse_unknown(request, schemas.After)
    events = _found(request, attempt_id).events.filter(seq__gt=known.after)[:MOST_EVENTS]
    return schemas.EventsShown(events=[schemas.EventShown.of(event) for event in events])


CHOSEN = answers(200, schemas.AttemptShown, 404, 409)
CHOSEN_WITH_BODY = answers(200, schemas.AttemptShown, 400, 404, 409, 422)


def _add_choice(choice: Choice) -> None:
    """Add the call of a choice that needs at most the event that offered it."""

    def choose(request: HttpRequest, attempt_id: UUID) -> schemas.AttemptShown:
        return _chosen(lambda by: engine.choose(attempt_id, choice, by=by), request, attempt_id)

    def confirm(request: HttpRequest, attempt_id: UUID, sent: schemas.ChoiceSent | None = None) -> schemas.AttemptShown:
        return _chosen(lambda by: engine.choose(attempt_id, choice, by=by, seq=_event(sent)), request, attempt_id)

    call = confirm if choice.confirmation else choose
    call.__name__ = choice.name.lower()
    call.__doc__ = choice.effect
    shape = CHOSEN_WITH_BODY if choice.confirmation else CHOSEN
    api.post(f"/attempts/{{uuid:attempt_id}}/{choice.value}", response=shape, summary=choice.label)(call)


for each_choice in Choice:
    if each_choice.transition:
        _add_choice(each_choice)


@api.post(
    "/attempts/{uuid:attempt_id}/approve-certificate",
    response=CHOSEN_WITH_BODY,
    summary=Choice.APPROVE_CERTIFICATE.label,
)
def approve_certificate(request: HttpRequest, attempt_id: UUID, sent: schemas.FingerprintSent) -> schemas.AttemptShown:
    """Believe the certificate that the node was seen with, and go on. Compare it with the node first."""
    try:
        fingerprint = normalise_fingerprint(sent.fingerprint)
    except ValueError as error:
        raise invalid({"fingerprint": [str(error)]}) from None
    return _chosen(
        lambda by: engine.approve_certificate(attempt_id, fingerprint, by=by, seq=_event(sent)), request, attempt_id
    )


@api.post("/attempts/{uuid:attempt_id}/credentials", response=CHOSEN_WITH_BODY, summary=Choice.CREDENTIALS.label)
@sensitive_variables()
def credentials(request: HttpRequest, attempt_id: UUID, sent: schemas.CredentialsSent) -> schemas.AttemptShown:
    """Go on asking the node with this sign-in; it is kept sealed until the attempt has ended.

    409 `credentials_held_back`: the cluster has just refused these credentials, or another refused sign-in could lock
    the account. The message says until when. `send_anyway` sends them all the same.
    """
    entered = _credentials(sent)
    take = partial(engine.give_credentials, attempt_id, entered, seq=sent.seq, send_anyway=sent.send_anyway)
    return _chosen(lambda by: take(by=by), request, attempt_id)


def _event(sent: schemas.ChoiceSent | None) -> int:
    return engine.NO_EVENT if sent is None or sent.seq is None else sent.seq


@sensitive_variables()
def _credentials(sent: schemas.CredentialsSent) -> Credentials:
    wrong: dict[str, list[str]] = {}
    for path, check, value in (
        ("username", rules.check_username, sent.username),
        ("password", rules.check_password, sent.password),
    ):
        try:
            check(value)
        except rules.RuleError as error:
            wrong[path] = [error.message]
    if wrong:
        raise invalid(wrong)
    return Credentials(username=rules.check_username(sent.username), password=Secret(sent.password))


def _chosen(take: Callable[[User], Attempt], request: HttpRequest, attempt_id: UUID) -> schemas.AttemptShown:
    _found(request, attempt_id)
    try:
        return schemas.AttemptShown.of(take(signed_in_user(request)))
    except engine.ChoiceRefused as refusal:
        raise Problem(409, refusal.code, refusal.message) from refusal


def _found(request: HttpRequest, attempt_id: UUID) -> Attempt:
    seen = visibility.seen_by(signed_in_user(request)).select_related("requested_by")
    return get_object_or_404(seen, pk=attempt_id)
