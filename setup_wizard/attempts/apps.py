"""The Django app that owns attempts."""

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate

from setup_wizard import failpoints


class AttemptsConfig(AppConfig):
    """Attempts and the engine that moves them."""

    name = "setup_wizard.attempts"
    verbose_name = "Setups"

    def ready(self) -> None:
        """Register the system checks, the masking in probes and the search index; arm failpoints where allowed."""
        from setup_wizard.attempts import (  # noqa: PLC0415
            checks,  # noqa: F401 - importing is registering
            search_index,
        )
        from setup_wizard.attempts.scrub import redaction_at  # noqa: PLC0415
        from setup_wizard.nodes import probing  # noqa: PLC0415

        probing.redact_with(redaction_at)
        post_migrate.connect(search_index.create, sender=self)

        if settings.DEBUG or settings.SETUP_WIZARD_DEMO:
            failpoints.arm(settings.SETUP_WIZARD_FAILPOINTS)
