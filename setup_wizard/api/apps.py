"""The Django app of the JSON API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The JSON API."""

    name = "setup_wizard.api"
    verbose_name = "JSON API"
