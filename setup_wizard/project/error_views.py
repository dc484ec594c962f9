"""What a browser or a script is told when a view could not answer: nothing of our inside, and a number to quote.

Django asks `show_fault` wherever an exception was not caught, also in a middleware: most requests meet a database that
is away while their session is being read, long before a view's own turn. It asks `show_refusal` for what it could not
even read.

Reference: docs/failure-modes.md, 47, W11 and W15.
"""

import sys
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from structlog.contextvars import get_contextvars

from setup_wizard.access.middleware import API_PATH, MalformedRequest
from setup_wizard.monitoring import health

RETRY_AFTER = 10  # seconds: a database that restarts takes about that long
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def show_refusal(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that could not be read: 413 when it was more than a page takes, 400 otherwise."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if isinstance(exception, TOO_MUCH) else HTTPStatus.BAD_REQUEST
    reason = exception.message if isinstance(exception, MalformedRequest) else ""
    if isinstance(exception, DisallowedHost):
        reason = "The proxy, or your browser, asked for a host name that is not in ALLOWED_HOSTS."
    return _document(status, reason) if request.path.startswith(API_PATH) else _page(status, reason)


def show_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose origin or token is wrong; Django's `reason` says which of the two."""
    del request
    return HttpResponse(loader.render_to_string("403_csrf.html", {"reason": reason}), status=HTTPStatus.FORBIDDEN)


def show_fault(request: HttpRequest) -> HttpResponse:
    """Answer for a view that failed: 503 when the database is away, 500 when the fault is ours."""
    away = health.is_outage(sys.exception())
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.INTERNAL_SERVER_ERROR
    response = _document(status) if request.path.startswith(API_PATH) else _page(status)
    if away:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _page(status: HTTPStatus, reason: str = "") -> HttpResponse:
    # no request in it: who is signed in stands in a database that may be the very thing that is away
    limits = {"kib": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024, "fields": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}
    page = loader.render_to_string(f"{status.value}.html", {"request_id": _number(), "reason": reason, **limits})
    return HttpResponse(page, status=status)


def _document(status: HTTPStatus, reason: str = "") -> HttpResponse:
    words = {
        HTTPStatus.BAD_REQUEST: ("bad_request", f"The request could not be read. {reason}".strip()),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "The request is too large."),
        HTTPStatus.SERVICE_UNAVAILABLE: ("unavailable", "The service is not ready. Try again in a little while."),
        HTTPStatus.INTERNAL_SERVER_ERROR: ("internal", "The request failed, and the fault is ours."),
    }
    error, message = words[status]
    return JsonResponse(
        {"error": error, "message": f"{message} Its number is {_number()}.", "fields": {}}, status=status
    )


def _number() -> str:
    return str(get_contextvars().get("request_id", ""))
