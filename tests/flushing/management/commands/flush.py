"""Empty the tests' database, audit trail and all: what forbids that is taken off for the moment, and put back.

Tests that commit are cleaned up after by this command, and nothing of the kind is possible in the product.
"""

from contextlib import contextmanager

from django.core.management.commands import flush
from django.db import connections

TABLES = ("access_auditevent", "attempts_event")


class Command(flush.Command):
    def handle(self, **options):
        with unguarded(connections[options["database"]]):
            super().handle(**options)


@contextmanager
def unguarded(connection):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (%s, %s)", TABLES)
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _, sql in triggers:
            cursor.execute(sql)
