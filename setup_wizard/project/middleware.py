"""Give each request a number, and refuse one that nothing behind can read."""

import re
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import TypeAlias, cast
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from structlog.contextvars import bound_contextvars

from setup_wizard.access.malformed import MalformedRequest
from setup_wizard.project.error_views import API

HEADER = "X-Request-ID"
# a proxy in front may have given a number already; anything else that a stranger may send there stays out of the log
_SHAPE = re.compile(r"[0-9A-Za-z-]{8,64}")

Sync: TypeAlias = Callable[[HttpRequest], HttpResponseBase]
Async: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def number_requests(get_response: Sync | Async) -> Sync | Async:
    """Write the request's number on every line that is logged for it, and send it back with the answer."""
    if iscoroutinefunction(get_response):
        ask = cast("Async", get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            number = _number_of(request)
            with bound_contextvars(request_id=number):
                return _numbered(await ask(request), number)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        number = _number_of(request)
        with bound_contextvars(request_id=number):
            return _numbered(cast("Sync", get_response)(request), number)

    return answer


@sync_and_async_middleware
def refuse_malformed(get_response: Sync | Async) -> Sync | Async:
    """Refuse NUL characters, which PostgreSQL cannot even be asked for, and a page address that is none.

    JSON has a reader of its own, which refuses them field by field.
    """
    if iscoroutinefunction(get_response):
        ask = cast("Async", get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            _check(request)
            return await ask(request)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        _check(request)
        return cast("Sync", get_response)(request)

    return answer


def _check(request: HttpRequest) -> None:
    query = request.META.get("QUERY_STRING", "")
    # a quoted cookie can spell any character
    words = [request.path, query, *request.headers.values(), *request.COOKIES.values()]
    if "%00" in query or any("\0" in word for word in words) or _has_nul_in_form(request):
        raise MalformedRequest("It has a NUL character in it.")
    try:
        urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        raise MalformedRequest("Its HX-Current-URL is not an address.") from None


def _has_nul_in_form(request: HttpRequest) -> bool:
    if request.path.startswith(API):  # it reads its own bodies, none of which is a form
        return False
    return any("\0" in word for name, values in request.POST.lists() for word in (name, *values))


def _number_of(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    return given if _SHAPE.fullmatch(given) else token_hex(8)


def _numbered(response: HttpResponseBase, number: str) -> HttpResponseBase:
    response.headers[HEADER] = number
    return response
