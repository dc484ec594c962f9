"""Where everything is."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that this process answers."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="wizard:start"), name="home"),
    path("", include("setup_wizard.access.urls")),
    path("setup/", include("setup_wizard.wizard.urls")),
    path("attempts/", include("setup_wizard.attempts.urls")),
    path("api/v1/", include("setup_wizard.attempts.api.urls")),
    path("healthz", healthz, name="healthz"),
]
