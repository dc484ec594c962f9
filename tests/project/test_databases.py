"""The options of each kind of database make commits durable."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import ConnectionHandler, OperationalError, connection

from setup_wizard.attempts import timing
from setup_wizard.project.databases import WORKER_LOCK_SECONDS, read_database_url

WORKER = {"timeout": WORKER_LOCK_SECONDS}
POSTGRES = "postgres://maria:secret@db.example.com:5433/wizard"
on_postgres = pytest.mark.skipif(
    not settings.DATABASE_URL.startswith("postgres"), reason="asks a PostgreSQL server: make test-postgres"
)


@pytest.fixture
def open_file(tmp_path, django_db_blocker):
    """Opens one new database file; each call returns another connection."""
    opened = []

    def connect(**options):
        entry = read_database_url(f"sqlite:///{tmp_path / 'wizard.sqlite3'}", pool=10)
        entry["OPTIONS"] |= options
        handler = ConnectionHandler({"default": entry})
        opened.append(handler["default"])
        return handler["default"]

    with django_db_blocker.unblock():  # not the database of the tests
        yield connect
        for each in opened:
            each.close()


def ask(database, question):
    with database.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)]
)
def test_sqlite_commits_are_durable_and_deletions_complete(open_file, pragma, value):
    assert ask(open_file(), f"PRAGMA {pragma}") == value


def test_a_transaction_can_write_from_its_start(open_file):
    first, second = open_file(), open_file(timeout=0)
    second.ensure_connection()
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    with pytest.raises(OperationalError, match="locked"):
        second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    first.rollback()


def test_a_worker_waits_for_a_lock_less_than_a_lease(open_file):
    waits = open_file()
    hurries = open_file(**WORKER)

    assert ask(waits, "PRAGMA busy_timeout") == 20_000
    assert ask(hurries, "PRAGMA busy_timeout") == 5_000
    assert timedelta(milliseconds=5_000) < timing.LEASE / 2


def test_the_default_database_ignores_the_working_directory():
    path = read_database_url(f"sqlite:///{settings.BASE_DIR / 'var' / 'setup-wizard.sqlite3'}", pool=10)["NAME"]

    assert Path(path).is_absolute()


def test_postgresql_has_short_timeouts_and_a_checked_pool():
    entry = read_database_url(POSTGRES, pool=7)

    assert entry["CONN_MAX_AGE"] == 0
    assert entry["CONN_HEALTH_CHECKS"] is True
    assert entry["OPTIONS"]["pool"] == {"min_size": 0, "max_size": 7, "timeout": 5, "reconnect_timeout": 5}
    assert entry["OPTIONS"]["options"].split("-c ")[1:] == [
        "synchronous_commit=on ",
        "statement_timeout=5s ",
        "lock_timeout=3s ",
        "idle_in_transaction_session_timeout=15s",
    ]


def test_options_of_the_url_take_precedence():
    entry = read_database_url(f"{POSTGRES}?sslmode=verify-full&options=-c%20statement_timeout%3D0", pool=7)

    assert entry["OPTIONS"]["sslmode"] == "verify-full"
    assert entry["OPTIONS"]["options"].startswith("-c synchronous_commit=on ")
    assert entry["OPTIONS"]["options"].endswith(" -c statement_timeout=0")


@on_postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous_commit", "on"),
        ("statement_timeout", "5s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "15s"),
    ],
)
def test_postgresql_applies_the_options(name, value):
    assert ask(connection, f"SHOW {name}") == value


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_a_dropped_connection_causes_no_error():
    other = connection.copy()
    other.ensure_connection()
    ours = ask(connection, "SELECT pg_backend_pid()")
    connection.close()  # returns to the pool
    ask(other, f"SELECT pg_terminate_backend({ours})")
    other.close()

    assert ask(connection, "SELECT pg_backend_pid()") != ours
