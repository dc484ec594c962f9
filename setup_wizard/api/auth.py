"""The one door of the API: who comes in, and what may be carried in.

A request without a working token learns nothing but that: not whether an address exists, nor which methods it has.
Only a bearer token opens the door, which no browser sends by itself; that is why there is no CSRF check behind it.

Reference: docs/failure-modes.md, W2, W6, W11 and W15.
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from setup_wizard.access import tokens
from setup_wizard.access.permissions import Permission
from setup_wizard.api.errors import Problem, forbidden, not_found, unauthorised
from setup_wizard.api.parsers import keep_document
from setup_wizard.attempts.choices import Choice
from setup_wizard.monitoring import health

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # what reads; everything else asks a node or decides
BODY_BYTES: Final = 1024 * 1024
UNAVAILABLE_SECONDS: Final = 5

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]


def guarded(view: View, choice: Choice | None = None) -> View:
    """Require a token with the permission for the call or the choice; answer in JSON whatever happens."""

    @csrf_exempt
    @login_not_required
    def answer(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        try:
            _identify(request, choice)
            _read(request)
            response = view(request, **parts)
        except Problem as problem:
            return problem.response()
        except Exception as failure:
            if health.is_outage(failure):
                log.exception("the database is away")
                return _unavailable().response()
            if settings.DEBUG:
                raise
            log.exception("a call of the API failed")
            return _broken().response()
        return _not_allowed(response).response() if isinstance(response, HttpResponseNotAllowed) else response

    return answer


@guarded
def nothing_here(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer every address at which there is no call."""
    del request
    raise not_found()


def _identify(request: HttpRequest, choice: Choice | None) -> None:
    user = tokens.bearer(request)
    if user is None:
        raise unauthorised()
    needed = choice.permission if choice else Permission.OPERATE
    if not user.has_perm(Permission.READ if request.method in SAFE else needed):
        raise forbidden()
    request.user = user


def _read(request: HttpRequest) -> None:
    """Read the body here: Django's own limit is that of the pages."""
    body = request.read(BODY_BYTES + 1)
    if len(body) > BODY_BYTES:
        raise Problem(413, "too_large", f"A body can have at most {BODY_BYTES // 1024} KiB.")
    if body and request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", "Send JSON: Content-Type: application/json.")
    keep_document(request, body)
    request._body = body  # where `request.body` finds what was read already


def _not_allowed(response: HttpResponseNotAllowed) -> Problem:
    allowed = response.headers["Allow"]
    return Problem(405, "method_not_allowed", f"Here one can only {allowed}.", headers={"Allow": allowed})


def _unavailable() -> Problem:
    message = "The database is away. Setups that run go on when it is back; try again in a few seconds."
    return Problem(503, "unavailable", message, headers={"Retry-After": str(UNAVAILABLE_SECONDS)})


def _broken() -> Problem:
    return Problem(500, "internal_error", "Something went wrong here. It has been logged.")
