"""Give each request a number, so that what a person saw can be found in the log."""

import re
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import TypeAlias, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from structlog.contextvars import bound_contextvars

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


def _number_of(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    return given if _SHAPE.fullmatch(given) else token_hex(8)


def _numbered(response: HttpResponseBase, number: str) -> HttpResponseBase:
    response.headers[HEADER] = number
    return response
