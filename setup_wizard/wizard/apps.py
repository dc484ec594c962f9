"""The Django app that owns drafts."""

from django.apps import AppConfig


class WizardConfig(AppConfig):
    """The guided setup."""

    name = "setup_wizard.wizard"
    verbose_name = "Setups being filled in"

    def ready(self) -> None:
        """Have old drafts tidied up with everything else."""
        from setup_wizard.wizard.drafts import forget_old  # noqa: PLC0415 - as above
        from setup_wizard.worker.periodic import periodic  # noqa: PLC0415 - models must be loaded first

        periodic.add(forget_old)
