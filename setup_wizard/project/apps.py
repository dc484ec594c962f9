"""What holds wherever this is deployed, and the administration site as this product has it."""

from datetime import timedelta

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """Django's administration app with our own site in it."""

    default_site = "setup_wizard.access.site.Site"


class ProjectConfig(AppConfig):
    """The deployment itself."""

    name = "setup_wizard.project"

    def ready(self) -> None:
        """Look after SQLite's log, and have the supervisor empty it and forget old tries of passwords."""
        from setup_wizard.access import tries  # noqa: PLC0415 - models must be loaded first
        from setup_wizard.attempts.chores import chores  # noqa: PLC0415 - likewise
        from setup_wizard.project import checks, logfile  # noqa: F401, PLC0415 - likewise; checks register themselves

        logfile.watch()
        chores.add(logfile.empty, every=timedelta(minutes=1))
        chores.add(tries.forget, every=timedelta(minutes=15))
