"""The Django app that lets people in."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Signing in and out."""

    name = "setup_wizard.access"
    verbose_name = "Access"
