"""The two databases that a system may stand on: a URL for our processes, and rows to read."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from setup_wizard.attempts.states import State
from tests.project.processes import wait_until

FINAL = [state.value for state in State if state.is_final]
SETTLED = [state.value for state in State if not state.is_moving]


class Database:
    """What every database of a test offers: a URL for our processes, and rows to read."""

    def row(self, attempt):
        joined = "SELECT * FROM attempts_attempt JOIN attempts_reducerstate ON attempt_id = id WHERE id = ?"
        return self.read(joined, self.key(attempt))[0]

    def events(self, attempt):
        return self.read("SELECT * FROM attempts_event WHERE attempt_id = ? ORDER BY seq", self.key(attempt))

    def has_secret(self, attempt, beyond=None):
        """Whether credentials are stored, and for longer than `beyond` from now."""
        stored = self.read("SELECT expires_at FROM attempts_sealedcredentials WHERE owner = ?", self.key(attempt))
        ends = [datetime.fromisoformat(str(row["expires_at"])).replace(tzinfo=UTC) for row in stored]
        return any(beyond is None or end > datetime.now(UTC) + beyond for end in ends)

    def kinds(self, attempt):
        return [event["kind"] for event in self.events(attempt)]

    def outcome(self, attempt, seconds=60):
        """Wait until an attempt has ended or rests; its row."""
        return wait_until(lambda: (row := self.row(attempt))["state"] in SETTLED and row, seconds=seconds)


class Sqlite(Database):
    kind = "sqlite"

    def __init__(self, path):
        self.path = path

    @property
    def url(self):
        return f"sqlite:///{quote(str(self.path))}"

    def key(self, attempt):
        return attempt.replace("-", "")

    def read(self, sql, *values):
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=20)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, values)]

    def tables(self):
        found = self.read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {row["name"] for row in found}

    def write(self, sql, *values):
        with closing(sqlite3.connect(self.path, timeout=20)) as connection, connection:
            connection.execute(sql, values)

    def lock(self):
        """Keep everybody else from writing until the connection that this gives is closed."""
        connection = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def is_locked(self):
        """Whether somebody holds the one lock for writing, and goes on holding it."""
        with closing(sqlite3.connect(self.path, timeout=3, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def bytes(self):
        return b"".join(file.read_bytes() for file in sorted(self.path.parent.glob(f"{self.path.name}*")))

    def drop(self):
        """Goes with its directory."""


class Postgres(Database):
    """A database of its own on the tests' server, copied from a template with every table."""

    kind = "postgres"

    def __init__(self, server_url, name, template):
        self.server_url, self.name = server_url, name
        self._tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    @property
    def url(self):
        return urlunsplit(urlsplit(self.server_url)._replace(path=f"/{self.name}"))

    def key(self, attempt):
        return attempt

    def read(self, sql, *values):
        with psycopg.connect(self.url, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(sql.replace("?", "%s"), values).fetchall()

    def bytes(self):
        tables = self.read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [self.read(f'SELECT * FROM "{table["tablename"]}"') for table in tables]
        return json.dumps(rows, default=str).encode()

    def is_locked(self):
        """No: a server locks rows, not the whole database."""
        return False

    def tables(self):
        return {row["tablename"] for row in self.read("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    def write(self, sql, *values):
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.replace("?", "%s"), values)

    def cut(self):
        """Cut every connection, as a restart of the server does."""
        self._tell(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def drop(self):
        self._tell(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _tell(self, sql):
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(sql)
