"""Entries of the audit log, and a database that refuses new ones."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection

from setup_wizard.access.audit import AuditEvent

SIGN_IN = "seven quiet otters"
CLIENT = {"REMOTE_ADDR": "10.0.0.66"}


def trail(action):
    return list(AuditEvent.objects.filter(action=action))


@contextmanager
def full_trail():
    """Make the database refuse new audit entries, as a full disk would."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
            )
            refuse = "FOR EACH ROW EXECUTE FUNCTION disk_full()"
        cursor.execute(f"CREATE TRIGGER disk_full BEFORE INSERT ON access_auditevent {refuse}")
        with pytest.raises(DatabaseError, match="the disk is full"):
            yield
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION disk_full() CASCADE")
        else:
            cursor.execute("DROP TRIGGER disk_full")
