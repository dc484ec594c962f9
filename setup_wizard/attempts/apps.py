"""The Django app that owns attempts."""

from django.apps import AppConfig
from django.conf import settings

from setup_wizard import failpoints


class AttemptsConfig(AppConfig):
    """Attempts and the engine that moves them."""

    name = "setup_wizard.attempts"
    verbose_name = "Setups"

    def ready(self) -> None:
        """Register the system checks and the masking in probes; arm failpoints where they are allowed."""
        from setup_wizard.attempts import checks  # noqa: F401, PLC0415 - importing is registering
        from setup_wizard.attempts.scrub import redaction_at  # noqa: PLC0415
        from setup_wizard.nodes import probing  # noqa: PLC0415

        probing.redact_with(redaction_at)

        if settings.DEBUG or settings.SETUP_WIZARD_DEMO:
            failpoints.arm(settings.SETUP_WIZARD_FAILPOINTS)
