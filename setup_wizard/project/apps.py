"""What holds wherever this is deployed, and the administration site as this product has it."""

from datetime import timedelta

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """Django's administration app with our own site in it."""

    default_site = "setup_wizard.access.admin_site.AdministrationSite"


class ProjectConfig(AppConfig):
    """The deployment itself."""

    name = "setup_wizard.project"

    def ready(self) -> None:
        """Register the system checks, and the periodic truncation of SQLite's log."""
        from setup_wizard.project import checks, sqlite_wal  # noqa: F401, PLC0415 - models must be loaded first
        from setup_wizard.worker.periodic import periodic  # noqa: PLC0415 - as above

        sqlite_wal.watch()
        periodic.add(sqlite_wal.empty, every=timedelta(minutes=1))
