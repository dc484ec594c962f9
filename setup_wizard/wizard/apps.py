"""The Django app that owns drafts."""

from django.apps import AppConfig


class WizardConfig(AppConfig):
    """The guided setup."""

    name = "setup_wizard.wizard"
    verbose_name = "Drafts"

    def ready(self) -> None:
        """Register the deletion of old drafts, and what the page of setups watches."""
        from setup_wizard.wizard import topics  # noqa: PLC0415 - as above
        from setup_wizard.wizard.drafts import delete_old  # noqa: PLC0415 - as above
        from setup_wizard.worker.periodic import periodic  # noqa: PLC0415 - models must be loaded first

        periodic.add(delete_old)
        topics.register()
