"""Check the token and the body of each API request.

Without a working token every request gets the same 401: it reveals neither which URLs exist nor which methods they
allow. No browser sends a bearer token by itself, so there is no CSRF check.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from setup_wizard.access import tokens
from setup_wizard.access.permissions import Permission
from setup_wizard.api.errors import Problem, forbidden, not_found, unauthorised
from setup_wizard.api.parsers import read_document
from setup_wizard.attempts.choices import Choice

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # these only read
BODY_BYTES: Final = 1024 * 1024

View = Callable[..., HttpResponseBase]


def guarded(view: View, choice: Choice | None = None) -> View:
    """Require a token with the permission for the call or the choice; return every refusal as JSON."""

    @csrf_exempt
    @login_not_required
    def respond(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        try:
            _authenticate(request, choice)
            _read_body(request)
            response = view(request, **arguments)
        except Problem as problem:
            return problem.response()
        return _not_allowed(response).response() if isinstance(response, HttpResponseNotAllowed) else response

    return respond


@guarded
def unknown_url(request: HttpRequest, **_: Any) -> HttpResponse:
    """Return 404 for every URL that has no call."""
    del request
    raise not_found()


def _authenticate(request: HttpRequest, choice: Choice | None) -> None:
    user = tokens.user_of_request(request)
    if user is None:
        raise unauthorised()
    needed = choice.permission if choice else Permission.OPERATE
    if not user.has_perm(Permission.READ if request.method in SAFE else needed):
        raise forbidden()
    request.user = user


def _read_body(request: HttpRequest) -> None:
    """Read the body here: Django's limit is for pages, and smaller."""
    body = request.read(BODY_BYTES + 1)
    if len(body) > BODY_BYTES:
        raise Problem(413, "too_large", f"The body is larger than {BODY_BYTES // 1024} KiB.")
    if body and request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", "Send JSON: Content-Type: application/json.")
    read_document(request, body)
    request._body = body  # `request.body` returns this


def _not_allowed(response: HttpResponseNotAllowed) -> Problem:
    allowed = response.headers["Allow"]
    return Problem(405, "method_not_allowed", f"Method not allowed. Allowed: {allowed}.", headers={"Allow": allowed})
