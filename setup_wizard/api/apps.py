"""The Django app of the JSON API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """What the pages do, for programs."""

    name = "setup_wizard.api"
    verbose_name = "JSON API"
