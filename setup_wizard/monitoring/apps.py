"""The Django app that monitors the processes."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Heartbeats, health checks and metrics."""

    name = "setup_wizard.monitoring"
    verbose_name = "Monitoring"
