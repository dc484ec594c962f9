"""The Django app that owns attempts."""

from django.apps import AppConfig


class AttemptsConfig(AppConfig):
    """Attempts and everything that moves them."""

    name = "setup_wizard.attempts"
    verbose_name = "Attempts"

    def ready(self) -> None:
        """Register the system checks."""
        from setup_wizard.attempts import checks  # noqa: F401, PLC0415 - importing is registering
