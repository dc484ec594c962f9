"""What happens to every request before its view, and to every response after it."""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from secrets import token_hex
from typing import Any, ClassVar, Final, cast
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import loader
from structlog.contextvars import bound_contextvars, get_contextvars

from setup_wizard.access import client_address, interrupted_forms, sessions, throttle, times

View = Callable[[HttpRequest], HttpResponseBase]
AsyncView = Callable[[HttpRequest], Awaitable[HttpResponseBase]]

API_PATH: Final = "/api/"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
REQUEST_ID: Final = "X-Request-ID"
# a proxy may have set one; anything in another format is replaced, so that it does not get into the log
_REQUEST_ID_FORMAT: Final = re.compile(r"[0-9A-Za-z-]{8,64}")
# the headers in which browsers say that they fetch a page in advance
_PURPOSE_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
# browser features that no page uses
_DISABLED_FEATURES: Final = (
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
PERMISSIONS_POLICY: Final = ", ".join(
    [*(f"{feature}=()" for feature in _DISABLED_FEATURES), "clipboard-write=(self)", "fullscreen=(self)"]
)


class MalformedRequest(BadRequest):
    """Answered with 400 and `message`, which the client sees: it never contains a value that was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Middleware:
    """Base of a middleware whose `context`, `process_request` and `process_response` run where its view runs.

    Django's MiddlewareMixin moves each hook of an asynchronous request to a thread instead. Django itself runs
    `process_view` and `process_exception`.
    """

    sync_capable: ClassVar = True
    async_capable: ClassVar = True

    def __init__(self, get_response: View | AsyncView) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        with self.context(request):
            response = self.process_request(request) or cast("View", self.get_response)(request)
            return self.process_response(request, response)

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        with self.context(request):
            response = self.process_request(request) or await cast("AsyncView", self.get_response)(request)
            return self.process_response(request, response)

    def context(self, request: HttpRequest) -> AbstractContextManager[object]:  # noqa: ARG002 - for subclasses
        """Return the context in which the request is processed."""
        return ExitStack()

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:  # noqa: ARG002 - for subclasses
        """Return a response to skip the view."""
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        """Return the response, changed or not."""
        return response


class RequestContext(Middleware):
    """Give log lines a request ID, and audit entries the client's address."""

    def context(self, request: HttpRequest) -> AbstractContextManager[object]:
        given = request.headers.get(REQUEST_ID, "")
        request_id = given if _REQUEST_ID_FORMAT.fullmatch(given) else token_hex(8)
        stack = ExitStack()
        stack.enter_context(bound_contextvars(request_id=request_id))
        stack.enter_context(client_address.bound(request))
        return stack

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        del request
        response.headers[REQUEST_ID] = get_contextvars()["request_id"]
        return response


class ResponseHeaders(Middleware):
    """Disable browser features that no page uses, and keep responses out of caches unless they say otherwise."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        del request
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers.setdefault("Cache-Control", "no-store")  # static files have set theirs
        return response


class RefuseMalformed(Middleware):
    """Refuse NUL characters, which PostgreSQL cannot store or look up, and a page address that cannot be parsed.

    The API checks its JSON bodies itself, field by field.
    """

    def process_request(self, request: HttpRequest) -> None:
        query = request.META.get("QUERY_STRING", "")
        # in a quoted cookie, `\000` is a NUL
        texts = [request.path, query, *request.headers.values(), *request.COOKIES.values()]
        if "%00" in query or any("\0" in text for text in texts) or _has_nul_in_form(request):
            raise MalformedRequest("It contains a NUL character.")
        try:
            urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:
            raise MalformedRequest("Its HX-Current-URL is not a URL.") from None


class RefuseUnintended(Middleware):
    """Refuse what the user did not ask for: a page fetched in advance, or a change that another site's page sends.

    Opening some pages changes something, so a prefetch gets 204. Browsers older than 2023 do not send
    `Sec-Fetch-Site`: the CSRF token remains the main protection.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if request.method not in SAFE_METHODS:
            if request.headers.get("Sec-Fetch-Site") == "cross-site":
                return HttpResponse(loader.render_to_string("403_csrf.html", {"reason": "cross-site"}), status=403)
            return None
        purpose = " ".join(request.headers.get(name, "") for name in _PURPOSE_HEADERS).lower()
        if any(word in purpose for word in ("prefetch", "prerender", "preview")):
            return HttpResponse(status=204)
        return None


class RateLimitResponses(Middleware):
    """Answer with 429 when a view raises `TooManyRequests`."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say when to try again."""
        return throttle.refuse(request, exception) if isinstance(exception, throttle.TooManyRequests) else None


class SessionLimits(Middleware):
    """End expired sessions; stands before SignInRequired, which then asks for a sign-in."""

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> None:
        """Check the session, and save that its user is active."""
        if not request.user.is_authenticated:
            return
        if sessions.is_over(request.session):
            logout(request)
        elif not getattr(view, "in_background", False):
            sessions.save_activity(request.session)


class TimeZone(Middleware):
    """Write the times on a page in the zone that its user has chosen."""

    def context(self, request: HttpRequest) -> AbstractContextManager[object]:
        del request
        return times.in_utc()

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Use the user's zone; the user is known only now."""
        times.use_zone_of(request.user)


class SignInRequired(LoginRequiredMiddleware):
    """Ask for a sign-in without losing input: background requests get 401, and a posted form is kept."""

    def handle_no_permission(  # type: ignore[override]  # Django itself accepts any response
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        """Return 401 to htmx, the sign-in page with the posted fields to a form, a redirect to all else."""
        if getattr(request, "htmx", False):
            return HttpResponse(status=401)
        if request.method == "POST" and (page := interrupted_forms.ask_to_sign_in(request)):
            return page
        return super().handle_no_permission(request, view_func)


def _has_nul_in_form(request: HttpRequest) -> bool:
    if request.path.startswith(API_PATH):  # its bodies are not forms
        return False
    return any("\0" in text for name, values in request.POST.lists() for text in (name, *values))
