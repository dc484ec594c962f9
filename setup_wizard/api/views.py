"""The calls of the API."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from ninja import NinjaAPI, Query, Status
from ninja.errors import ValidationError
from ninja.operation import Operation

from setup_wizard.access.permissions import signed_in_user
from setup_wizard.api import check_schemas, clusters, listing, plans, rendering, starting
from setup_wizard.api.attempt_schemas import (
    After,
    AttemptOut,
    ChoiceIn,
    CredentialsIn,
    EventOut,
    EventsOut,
    FingerprintIn,
    ListOut,
    ListParameters,
    RenderingsOut,
    StartedOut,
    StartIn,
    WarnedStartOut,
    url_of,
)
from setup_wizard.api.errors import Problem, invalid, responses, translate
from setup_wizard.api.parsers import StrictParser, refuse_unknown
from setup_wizard.api.probe_schemas import ProbeIn, ProbeOut
from setup_wizard.api.sign_ins import read_sign_in
from setup_wizard.attempts import engine, visibility
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.request import Credentials, InvalidRequest, read_client_certificate
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.certificates import normalise_fingerprint

MOST_EVENTS = 1000


class SetupApi(NinjaAPI):
    """The framework's API, with operations named after their functions."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the name that generated clients use."""
        return operation.view_func.__name__


api = SetupApi(
    title="Setup wizard",
    version="1",
    description="Set up nodes of Redis Enterprise clusters and follow each attempt, as the pages do. "
    "`python manage.py api_token USER` creates a token; send it as `Authorization: Bearer <token>`.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    parser=StrictParser(),
)
api.add_router("/plans", plans.router)
api.add_router("/clusters", clusters.router)
for each in (Exception, Http404, ValidationError):  # instead of the framework's own handlers
    api.add_exception_handler(each, translate)


@api.post("/probe", response=responses(200, ProbeOut, 400, 422, 429), summary="Probe a node")
def probe(request: HttpRequest, body: ProbeIn) -> ProbeOut:
    """Read certificate, status and details of a node, without credentials. Nothing changes on the node.

    Compare the fingerprint with the node itself before you name it in a start. Probes of nodes that are not approved
    yet are limited per minute.
    """
    return ProbeOut.of(starting.probe_node(body.address, "address", by=signed_in_user(request)))


@api.post(
    "/attempts",
    response=responses(201, WarnedStartOut | StartedOut, 400, 409, 422, 429),
    summary="Start a setup",
)
@sensitive_variables()
def start(request: HttpRequest, response: HttpResponse, body: StartIn) -> Status[Any]:
    """Probe the node and, for a join, a member again, run every check, and start the setup.

    The response does not wait for the setup; follow the attempt at its `url`. 409 `node_busy`: another setup of this
    node is running. 422 `preflight_failed`: a check failed, and `fields` says which. The password is stored encrypted
    until the attempt has ended, and is never shown.
    """
    attempt = starting.start(body, by=signed_in_user(request))
    response["Location"] = url_of(attempt)
    started = StartedOut.of(attempt)
    if warnings := starting.warnings_of(body):
        return Status(201, WarnedStartOut(**started.model_dump(), warnings=warnings))
    return Status(201, started)


@api.post(
    "/preflight",
    response=responses(200, check_schemas.PreflightOut, 400, 422, 429),
    summary="Check a setup before it starts",
)
@sensitive_variables()
def preflight(request: HttpRequest, body: StartIn) -> check_schemas.PreflightOut:
    """Run every check of a start, within 6 s after the first answers. Nothing is changed, and nothing is approved.

    At a cluster to join, the credentials sign in once, and once more through the node if it checks the request itself.
    `ready` is false when a check blocks the start, or a check that can be overridden is not in `overrides`. A check
    without an answer is `not_checked`.
    """
    outcomes, is_ready = starting.check(body, by=signed_in_user(request))
    shown = [check_schemas.CheckOut.of(each, starting.path_of(each)) for each in outcomes if each.result.message]
    return check_schemas.PreflightOut(checks=shown, ready=is_ready)


@api.post(
    "/render",
    response=responses(200, RenderingsOut, 400, 422),
    by_alias=True,
    summary="Render a request for scripts",
)
@sensitive_variables()
def render(request: HttpRequest, body: StartIn) -> dict[str, str]:
    """Return the request as JSON, cURL, `rladmin` and Ansible. No node is contacted and nothing is changed.

    Secrets become variables or prompts. They can be left out or be asterisks.
    """
    del request
    return rendering.render(body)


@api.get("/attempts", response=responses(200, ListOut, 422), summary="List attempts")
def list_attempts(request: HttpRequest, parameters: Query[ListParameters]) -> ListOut:
    """List attempts, the newest first, 50 at a time; `next` is the URL of the next page."""
    refuse_unknown(request, ListParameters)
    site = request.build_absolute_uri("/").rstrip("/")
    return listing.list_attempts(parameters, reader=signed_in_user(request), site=site)


@api.get("/attempts/{uuid:attempt_id}", response=responses(200, AttemptOut, 404), summary="Show an attempt")
def show(request: HttpRequest, attempt_id: UUID) -> AttemptOut:
    """Show its state, what is wrong, and what you can do."""
    return AttemptOut.of(_found(request, attempt_id))


@api.get(
    "/attempts/{uuid:attempt_id}/events",
    response=responses(200, EventsOut, 404, 422),
    summary="List the events of an attempt",
)
def list_events(request: HttpRequest, attempt_id: UUID, parameters: Query[After]) -> EventsOut:
    """List the events after a number, in order."""
    refuse_unknown(request, After)
    events = _found(request, attempt_id).events.filter(seq__gt=parameters.after)[:MOST_EVENTS]
    return EventsOut(events=[EventOut.of(event) for event in events])


CHOICE_RESPONSES = responses(200, AttemptOut, 404, 409)
CHOICE_RESPONSES_WITH_BODY = responses(200, AttemptOut, 400, 404, 409, 422)


def _add_choice(choice: Choice) -> None:
    """Add the call of a choice that needs at most the event that offered it."""

    def choose(request: HttpRequest, attempt_id: UUID) -> AttemptOut:
        return _choose(lambda by: engine.choose(attempt_id, choice, by=by), request, attempt_id)

    def confirm(request: HttpRequest, attempt_id: UUID, body: ChoiceIn | None = None) -> AttemptOut:
        return _choose(lambda by: engine.choose(attempt_id, choice, by=by, seq=_event(body)), request, attempt_id)

    call = confirm if choice.confirmation else choose
    call.__name__ = choice.name.lower()
    call.__doc__ = choice.effect
    response = CHOICE_RESPONSES_WITH_BODY if choice.confirmation else CHOICE_RESPONSES
    api.post(f"/attempts/{{uuid:attempt_id}}/{choice.value}", response=response, summary=choice.label)(call)


for each_choice in Choice:
    if each_choice.transition:
        _add_choice(each_choice)


@api.post(
    "/attempts/{uuid:attempt_id}/approve-certificate",
    response=CHOICE_RESPONSES_WITH_BODY,
    summary=Choice.APPROVE_CERTIFICATE.label,
)
def approve_certificate(request: HttpRequest, attempt_id: UUID, body: FingerprintIn) -> AttemptOut:
    """Trust the certificate that the node shows now, and continue. Compare it with the node first."""
    try:
        fingerprint = normalise_fingerprint(body.fingerprint)
    except ValueError as error:
        raise invalid({"fingerprint": [str(error)]}) from None
    return _choose(
        lambda by: engine.approve_certificate(attempt_id, fingerprint, by=by, seq=_event(body)), request, attempt_id
    )


@api.post(
    "/attempts/{uuid:attempt_id}/credentials", response=CHOICE_RESPONSES_WITH_BODY, summary=Choice.CREDENTIALS.label
)
@sensitive_variables()
def credentials(request: HttpRequest, attempt_id: UUID, body: CredentialsIn) -> AttemptOut:
    """Continue with these credentials; they are stored encrypted until the attempt has ended.

    409 `credentials_held_back`: the cluster has just refused these credentials, or another refused sign-in could lock
    the account. The message says until when. `send_anyway` sends them anyway.
    """
    entered = _credentials(body)
    choose = partial(engine.give_credentials, attempt_id, entered, seq=body.seq, send_anyway=body.send_anyway)
    return _choose(lambda by: choose(by=by), request, attempt_id)


def _event(body: ChoiceIn | None) -> int:
    return engine.NO_EVENT if body is None or body.seq is None else body.seq


@sensitive_variables()
def _credentials(body: CredentialsIn) -> Credentials:
    if body.client_cert or body.client_key:
        if body.username or body.password:
            raise invalid({"client_cert": ["Use a user name and a password, or a client certificate, but not both."]})
        try:
            return read_client_certificate(body.client_cert, Secret(body.client_key), body.trusted_ca, timezone.now())
        except InvalidRequest as mistakes:
            raise invalid(mistakes.fields) from None
    return read_sign_in(body.username, Secret(body.password))


def _choose(choose: Callable[[User], Attempt], request: HttpRequest, attempt_id: UUID) -> AttemptOut:
    _found(request, attempt_id)
    try:
        return AttemptOut.of(choose(signed_in_user(request)))
    except engine.ChoiceRefused as refusal:
        raise Problem(409, refusal.code, refusal.message) from refusal


def _found(request: HttpRequest, attempt_id: UUID) -> Attempt:
    seen = visibility.visible_to(signed_in_user(request)).select_related("requested_by")
    return get_object_or_404(seen, pk=attempt_id)
