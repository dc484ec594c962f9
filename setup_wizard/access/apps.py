"""The Django app for signing in, roles, tokens and the audit log."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    """Connects signals, and creates groups and triggers after each migration."""

    name = "setup_wizard.access"
    verbose_name = "Access"

    def ready(self) -> None:
        from setup_wizard.access import signals  # noqa: PLC0415 - models must be loaded first
        from setup_wizard.access.append_only import create_triggers  # noqa: PLC0415 - as above
        from setup_wizard.access.roles import create_groups  # noqa: PLC0415 - as above

        post_migrate.connect(create_triggers, dispatch_uid="setup_wizard.access.append_only")
        post_migrate.connect(create_groups, sender=self, dispatch_uid="setup_wizard.access.roles")
        signals.connect()
