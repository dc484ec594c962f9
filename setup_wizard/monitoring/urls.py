"""Health checks, metrics, and the banner."""

from django.urls import path

from setup_wizard.monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.show_metrics, name="metrics"),
    path("banner/", views.show_banner, name="banner"),
]
