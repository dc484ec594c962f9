"""Refuse to work on the tables of a newer version.

States and columns are only ever added, so newer code can continue with old rows. Older code cannot know what new
columns mean, so an older supervisor stops enqueueing, and the workers get nothing to do.
"""

from functools import cache
from typing import TypeAlias

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Name: TypeAlias = tuple[str, str]


class SchemaAhead(Exception):
    """The database has been migrated further than this code knows; `unknown` names those migrations."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(f"the database is ahead of this code by {', '.join(unknown)}")
        self.unknown = unknown


def check() -> None:
    """Compare the applied migrations with those of this code; one query.

    Raises:
        SchemaAhead: this code does not know some of them.
    """
    installed = {config.label for config in apps.get_app_configs()}
    applied = {name for name in MigrationRecorder(connection).applied_migrations() if name[0] in installed}
    if unknown := applied - _known():
        raise SchemaAhead(sorted(".".join(name) for name in unknown))


@cache
def _known() -> frozenset[Name]:
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return frozenset(migrations) | {name for migration in migrations.values() for name in migration.replaces}
