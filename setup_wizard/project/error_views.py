"""The responses to requests that failed: no internals, only a request ID that is also in the log.

Django calls `server_error` for every uncaught exception, also in a middleware: when the database is down, most requests
fail while their session is read, before any view runs. It calls `bad_request` for requests that it could not read.
"""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.utils.decorators import sync_and_async_middleware
from structlog.contextvars import get_contextvars

from setup_wizard.access.middleware import API_PATH, MalformedRequest
from setup_wizard.monitoring import health

RETRY_AFTER = 10  # seconds: about what a restart of the database takes
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 413 for a request that is too large, 400 for any other that could not be read."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if isinstance(exception, TOO_LARGE) else HTTPStatus.BAD_REQUEST
    reason = exception.message if isinstance(exception, MalformedRequest) else ""
    if isinstance(exception, DisallowedHost):
        reason = "The proxy or your browser requested a host name that is not in ALLOWED_HOSTS."
    return _json(status, reason) if request.path.startswith(API_PATH) else _page(status, reason)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return 403 for a form with a wrong origin or token; Django's `reason` says which."""
    del request
    return HttpResponse(loader.render_to_string("403_csrf.html", {"reason": reason}), status=HTTPStatus.FORBIDDEN)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 503 when the database is down, 500 for any other failure."""
    is_outage = health.is_outage(sys.exception())
    status = HTTPStatus.SERVICE_UNAVAILABLE if is_outage else HTTPStatus.INTERNAL_SERVER_ERROR
    response = _json(status) if request.path.startswith(API_PATH) else _page(status)
    if is_outage:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


@sync_and_async_middleware
def explain_disallowed_methods(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: give the empty 405 responses of Django's decorators a page that says what to do."""

    def explain(response: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        allowed = response.headers["Allow"]
        page = _page(HTTPStatus.METHOD_NOT_ALLOWED, allowed)
        page.headers["Allow"] = allowed
        return page

    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            return explain(await get_response(request))

        return respond_async

    return lambda request: explain(get_response(request))


def _page(status: HTTPStatus, reason: str = "") -> HttpResponse:
    # rendered without the request: reading its user needs the database, which may be down
    limits = {
        "kib": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024,
        "fields": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
        "files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    }
    page = loader.render_to_string(f"{status.value}.html", {"request_id": _request_id(), "reason": reason, **limits})
    return HttpResponse(page, status=status)


def _json(status: HTTPStatus, reason: str = "") -> HttpResponse:
    errors = {
        HTTPStatus.BAD_REQUEST: ("bad_request", f"The server could not read this request. {reason}".strip()),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "The request is too large."),
        HTTPStatus.SERVICE_UNAVAILABLE: ("unavailable", "The service is not ready. Try again in a moment."),
        HTTPStatus.INTERNAL_SERVER_ERROR: ("internal_error", "The server failed. The log has the details."),
    }
    error, message = errors[status]
    return JsonResponse(
        {"error": error, "message": f"{message} Request ID: {_request_id()}.", "fields": {}}, status=status
    )


def _request_id() -> str:
    return str(get_contextvars().get("request_id", ""))
