"""Health checks and metrics, which need no sign-in, and the banner for open pages.

Health checks show no secret, no version and nothing about attempts. `/metrics` is closed until a setting opens it for a
token or for networks. Neither check needs the database, which may be what is down.
"""

from hmac import compare_digest
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_safe

from setup_wizard.access import client_address
from setup_wizard.access.sessions import in_background
from setup_wizard.monitoring import health, metrics

SCHEME = "Bearer "
NO_CONTENT = 204


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Say for each part whether it works and how many milliseconds the check took; 503 when one does not."""
    found = health.checks()
    ready = all(check.ok for check in found.values())
    parts = {part: {"ok": check.ok, "ms": check.ms} for part, check in found.items()}
    return JsonResponse({"status": "ok" if ready else "degraded", "checks": parts}, status=200 if ready else 503)


@in_background
@login_not_required
@require_GET
def show_banner(request: HttpRequest) -> HttpResponse:
    """The banner for an open page; 204 when the page shows it already or nobody is signed in."""
    if not request.user.is_authenticated:  # after a session ends, the page keeps what the user typed
        return HttpResponse(status=NO_CONTENT)
    found = health.troubles()
    if request.GET.get("shown", "") == ",".join(trouble.part for trouble in found):
        return HttpResponse(status=NO_CONTENT)
    return render(request, "monitoring/_banner.html", health.shown(found))


@login_not_required
@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """The metrics; 404 when no setting opens them, 401 or 403 for callers without access."""
    token, networks = settings.SETUP_WIZARD_METRICS_TOKEN, settings.SETUP_WIZARD_METRICS_NETWORKS
    if not token and not networks:
        return HttpResponse("Not found.", status=404, content_type="text/plain")
    if not _knows_token(request) and not _is_in_network(request):
        challenge = {"WWW-Authenticate": "Bearer"} if token else {}
        return HttpResponse("Forbidden.", status=401 if token else 403, content_type="text/plain", headers=challenge)
    text, content_type = metrics.write(request.headers.get("Accept", ""))
    return HttpResponse(text, content_type=content_type)


@sensitive_variables()
def _knows_token(request: HttpRequest) -> bool:
    token, given = settings.SETUP_WIZARD_METRICS_TOKEN, request.headers.get("Authorization", "")
    return bool(token) and compare_digest(given.encode(), f"{SCHEME}{token}".encode())


def _is_in_network(request: HttpRequest) -> bool:
    try:
        address = ip_address(client_address.of_request(request))
    except ValueError:  # a proxy on a Unix socket has no address
        return False
    return any(address in ip_network(network) for network in settings.SETUP_WIZARD_METRICS_NETWORKS)
