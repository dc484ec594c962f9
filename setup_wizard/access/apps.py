"""The Django app that lets people in."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    """Signing in and out, and who may do what."""

    name = "setup_wizard.access"
    verbose_name = "Access"

    def ready(self) -> None:
        """Have the groups made as soon as there are tables for them."""
        from setup_wizard.access import signals  # noqa: PLC0415 - models must be loaded first
        from setup_wizard.access.lasting import guard_tables  # noqa: PLC0415 - as above
        from setup_wizard.access.roles import make_groups  # noqa: PLC0415 - as above

        post_migrate.connect(guard_tables, dispatch_uid="setup_wizard.access.lasting")
        post_migrate.connect(make_groups, sender=self, dispatch_uid="setup_wizard.access.roles")
        signals.connect()
