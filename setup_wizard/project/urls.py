"""The URLs of all apps."""

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path

from setup_wizard.access.permissions import Permission, needs
from setup_wizard.live.stream.views import watch_topics
from setup_wizard.project import help, status  # noqa: A004 - as its pages are called

handler400 = "setup_wizard.project.error_views.bad_request"
handler500 = "setup_wizard.project.error_views.server_error"


@needs(Permission.READ)
def home(request: HttpRequest) -> HttpResponse:
    """Redirect to the clusters."""
    del request
    return redirect("inventory:list")


urlpatterns = [
    path("", home, name="home"),
    path("", include("setup_wizard.access.urls")),
    path("setup/", include("setup_wizard.wizard.urls")),
    path("clusters/", include("setup_wizard.clusters.cluster_urls")),
    path("notifications/", include("setup_wizard.notifications.urls")),
    path("plans/", include("setup_wizard.clusters.urls")),
    path("attempts/", include("setup_wizard.history.urls")),
    path("attempts/", include("setup_wizard.live.urls")),
    path("stream", watch_topics, name="stream"),
    path("help/", help.show_list, name="help"),
    path("help/<slug:name>/", help.show_document, name="help-document"),
    path("admin/health/", status.show, name="health"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("setup_wizard.api.urls")),
    path("", include("setup_wizard.monitoring.urls")),
]
if apps.is_installed("setup_wizard.project.demo"):
    urlpatterns.append(path("", include("setup_wizard.project.demo.urls")))
