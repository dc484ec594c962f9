"""The Django app of past attempts."""

from django.apps import AppConfig


class HistoryConfig(AppConfig):
    """The list of attempts, exports and reviews."""

    name = "setup_wizard.history"
    verbose_name = "History"
