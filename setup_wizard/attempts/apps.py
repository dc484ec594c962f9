"""The Django app that owns attempts."""

from django.apps import AppConfig
from django.conf import settings

from setup_wizard import failpoints


class AttemptsConfig(AppConfig):
    """Attempts and everything that moves them."""

    name = "setup_wizard.attempts"
    verbose_name = "Setups"

    def ready(self) -> None:
        """Register the system checks and what is purged, and put failpoints in force where there may be any."""
        from setup_wizard.attempts import checks, sign_ins  # noqa: F401, PLC0415 - importing is registering
        from setup_wizard.attempts.chores import chores  # noqa: PLC0415

        chores.add(sign_ins.purge)

        if settings.DEBUG or settings.SETUP_WIZARD_DEMO:
            failpoints.arm(settings.SETUP_WIZARD_FAILPOINTS)
