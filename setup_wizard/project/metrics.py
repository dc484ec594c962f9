"""`/metrics` for Prometheus: closed until a setting says who may read it.

A token, or the networks that a scraper asks from: neither needs the database, whose absence it may have to tell.
"""

from hmac import compare_digest
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from setup_wizard.access import clients
from setup_wizard.attempts import metrics

SCHEME = "Bearer "


@login_not_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Everything that is counted; 404 when nobody may read it, 401 or 403 when this one may not."""
    token, networks = settings.SETUP_WIZARD_METRICS_TOKEN, settings.SETUP_WIZARD_METRICS_NETWORKS
    if not token and not networks:
        return HttpResponse("There is nothing here.", status=404, content_type="text/plain")
    if not _knows_token(request) and not _is_near(request):
        challenge = {"WWW-Authenticate": "Bearer"} if token else {}
        return HttpResponse("Not for you.", status=401 if token else 403, content_type="text/plain", headers=challenge)
    text, content_type = metrics.write(request.headers.get("Accept", ""))
    return HttpResponse(text, content_type=content_type)


@sensitive_variables()
def _knows_token(request: HttpRequest) -> bool:
    token, given = settings.SETUP_WIZARD_METRICS_TOKEN, request.headers.get("Authorization", "")
    return bool(token) and compare_digest(given.encode(), f"{SCHEME}{token}".encode())


def _is_near(request: HttpRequest) -> bool:
    try:
        address = ip_address(clients.address_of(request))
    except ValueError:  # a unix socket between a proxy and us: no address at all
        return False
    return any(address in ip_network(network) for network in settings.SETUP_WIZARD_METRICS_NETWORKS)
