"""The apps of the deployment and of the admin site."""

from datetime import timedelta

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """Django's admin app with our own site."""

    default_site = "setup_wizard.access.admin_site.AdministrationSite"


class ProjectConfig(AppConfig):
    """Adds system checks and keeps SQLite's log small."""

    name = "setup_wizard.project"

    def ready(self) -> None:
        from setup_wizard.project import checks, sqlite_wal  # noqa: F401, PLC0415 - models must be loaded first
        from setup_wizard.worker.periodic import periodic  # noqa: PLC0415

        sqlite_wal.keep_connections_open()
        periodic.add(sqlite_wal.truncate, every=timedelta(minutes=1))
