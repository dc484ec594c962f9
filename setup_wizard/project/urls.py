"""Where everything is."""

from django.urls import include, path
from django.views.generic import RedirectView

from setup_wizard.project.health import healthz, readyz

handler500 = "setup_wizard.project.faults.show_fault"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="wizard:start"), name="home"),
    path("", include("setup_wizard.access.urls")),
    path("setup/", include("setup_wizard.wizard.urls")),
    path("attempts/", include("setup_wizard.attempts.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
