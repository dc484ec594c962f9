"""Empty the tests' database, audit log and all: what forbids that is taken off for the moment, and put back.

Tests that commit are cleaned up after by this command, and nothing of the kind is possible in the product.
"""

from contextlib import contextmanager

from django.apps import apps
from django.core.management.commands import flush
from django.db import connections

from setup_wizard.access.append_only import AppendOnlyModel


class Command(flush.Command):
    def handle(self, **options):
        with unguarded(connections[options["database"]]):
            super().handle(**options)


@contextmanager
def unguarded(connection):
    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnlyModel)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        triggers = [(name, sql) for name, sql, table in cursor.fetchall() if table in tables]
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for name, sql in triggers:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")  # what comes after a migration comes after a flush too
            cursor.execute(sql)
