"""What is known of every request on its way in, and what every answer gets on its way out."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from asgiref.sync import iscoroutinefunction
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

from setup_wizard.access import carrying, clients, throttle

Sync: TypeAlias = Callable[[HttpRequest], HttpResponseBase]
Async: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# where browsers say that they fetch a page that is not open yet
PURPOSE = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
# what no page of ours uses; copying a fingerprint is all that one does beyond showing itself
FEATURES = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS = ", ".join([*(f"{feature}=()" for feature in FEATURES), "clipboard-write=(self)", "fullscreen=(self)"])


@sync_and_async_middleware
def know_client(get_response: Sync | Async) -> Sync | Async:
    """Let whatever is done for a request know from where it came, and switch off what no page of ours uses.

    Reference: docs/failure-modes.md, W3 and W8.
    """
    if iscoroutinefunction(get_response):
        ask = cast("Async", get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            with clients.known(request):
                return _featureless(await ask(request))

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        with clients.known(request):
            return _featureless(cast("Sync", get_response)(request))

    return answer


@sync_and_async_middleware
def refuse_other_sites(get_response: Sync | Async) -> Sync | Async:
    """Refuse whatever changes something when the browser itself says that another site's page has sent it.

    Beside the token of each form, not in its place: browsers of before 2023 do not say it.
    Reference: docs/failure-modes.md, W6.
    """
    if iscoroutinefunction(get_response):
        ask = cast("Async", get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return _elsewhere() if _is_from_elsewhere(request) else await ask(request)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _elsewhere() if _is_from_elsewhere(request) else cast("Sync", get_response)(request)

    return answer


@sync_and_async_middleware
def refuse_prefetch(get_response: Sync | Async) -> Sync | Async:
    """Answer a page that a browser fetches in advance with 204: opening some of them changes something.

    Reference: docs/failure-modes.md, W6.
    """
    if iscoroutinefunction(get_response):
        ask = cast("Async", get_response)

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            return _nothing() if _is_prefetch(request) else await ask(request)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _nothing() if _is_prefetch(request) else cast("Sync", get_response)(request)

    return answer


class TooOftenAnswers(MiddlewareMixin):
    """Answer with 429 whatever a page could not do because it was asked too often."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say so, and when to try again."""
        return throttle.refuse(request, exception) if isinstance(exception, throttle.TooOften) else None


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


class SignInRequired(LoginRequiredMiddleware):
    """Ask for a sign-in without losing what was typed: no background request moves a page, and a form is carried on."""

    def handle_no_permission(  # type: ignore[override]  # Django itself takes any response
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        """Answer 401 to a script, the sign-in with the posted fields to a form; lead all else to the sign-in."""
        if getattr(request, "htmx", False):
            return HttpResponse(status=401)
        if request.method == "POST" and (page := carrying.ask_to_sign_in(request)):
            return page
        return super().handle_no_permission(request, view_func)


def _marked(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _featureless(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Permissions-Policy"] = PERMISSIONS
    return response


def _is_from_elsewhere(request: HttpRequest) -> bool:
    return request.method not in SAFE and request.headers.get("Sec-Fetch-Site") == "cross-site"


def _is_prefetch(request: HttpRequest) -> bool:
    purpose = " ".join(request.headers.get(name, "") for name in PURPOSE).lower()
    return request.method in SAFE and any(word in purpose for word in ("prefetch", "prerender", "preview"))


def _nothing() -> HttpResponse:
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def _elsewhere() -> HttpResponse:
    return HttpResponse(loader.render_to_string("403_csrf.html", {"reason": "cross-site"}), status=403)
