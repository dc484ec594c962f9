"""A database that is away, locked, full or read-only is an outage; a refused statement is a bug."""

import sqlite3
from contextlib import closing

import pytest
from django.contrib.auth.models import User
from django.db import Error, OperationalError, connection, transaction

from setup_wizard.attempts.models import Attempt
from setup_wizard.monitoring import health
from tests.attempts.attempt_rows import add_attempt


@pytest.mark.parametrize(
    "refused",
    [
        lambda: list(Attempt.objects.raw(f"SELECT {'(1+' * 20_000}1{')' * 20_000} AS id")),
        lambda: list(Attempt.objects.raw("SELECT * FROM no_such_table")),
        lambda: Attempt.objects.filter(address__regex="(").count(),
    ],
    ids=["too deep", "missing table", "invalid regular expression"],
)
def test_refused_statement_is_no_outage(db, refused):
    add_attempt(User.objects.create_user("maria"))

    with pytest.raises(Error) as failure, transaction.atomic():
        refused()

    assert not health.is_outage(failure.value)


def fill(address, pages):
    """Write more rows than the file may hold."""
    with closing(sqlite3.connect(address, timeout=0, uri=True)) as own:
        own.execute(f"PRAGMA max_page_count = {pages}")
        for _ in range(2000):
            own.execute("INSERT INTO rows VALUES (?)", ["x" * 4096])


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL: tests/faults/outages/test_postgres.py")
@pytest.mark.parametrize("harm", ["lock", "directory", "read-only", "full"])
def test_unusable_database_file_is_an_outage(tmp_path, harm):
    file = tmp_path / "rows.sqlite3"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE rows (word)")
        other.commit()
        if harm == "lock":
            other.execute("BEGIN EXCLUSIVE")
        address = {"directory": tmp_path, "read-only": f"file:{file}?mode=ro"}.get(harm, file)
        with pytest.raises(sqlite3.OperationalError) as cause:
            fill(address, pages=1 if harm == "full" else 1000)

    raised = OperationalError()
    raised.__cause__ = cause.value
    assert health.is_outage(raised)
