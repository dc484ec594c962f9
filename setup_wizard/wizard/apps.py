"""The Django app that owns drafts."""

from django.apps import AppConfig


class WizardConfig(AppConfig):
    """The guided setup."""

    name = "setup_wizard.wizard"
    verbose_name = "Setups being filled in"
