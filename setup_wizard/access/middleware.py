"""What every answer gets on its way out."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Sync: TypeAlias = Callable[[HttpRequest], HttpResponseBase]
Async: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def no_store(get_response: Sync | Async) -> Sync | Async:
    """Keep every answer that says nothing else about it out of all caches.

    All of them, signed in or not: to ask who is looking would cost a query, and a page for nobody in particular is
    cheap to make again. Static files are answered further out and keep their own rules.
    Reference: docs/failure-modes.md, S12.
    """
    if iscoroutinefunction(get_response):
        ask = cast("Async", get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return _marked(await ask(request))

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _marked(cast("Sync", get_response)(request))

    return answer


def _marked(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Cache-Control", "no-store")
    return response
