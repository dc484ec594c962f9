"""Keep SQLite's write-ahead log while a process runs, and truncate it once a minute.

The process that closes the last connection to a database deletes the log, and meanwhile locks the database, for
readers too. Connections are closed after each request, tick and round, so this would happen many times a
second, and a process that freezes in it would block every page. One idle connection in each process, which holds no
lock, prevents it.
"""

import atexit
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

LOCK_SECONDS = 0.2  # after that, truncation waits for the next minute
_kept: dict[str, sqlite3.Connection] = {}


def keep_connections_open() -> None:
    """Keep one connection open to each database file that this process opens from now on."""
    connection_created.connect(_keep_one_open)
    atexit.register(close_connections)


def close_connections() -> None:
    """Close all connections that were kept open."""
    while _kept:
        _kept.popitem()[1].close()


def truncate(now: datetime) -> int:  # noqa: ARG001 - periodic work gets the time
    """Copy the log to the database file and truncate it: after that, neither has any deleted data."""
    if name := _file_of(connections["default"]):
        truncate_file(name)
    return 0


def truncate_file(name: str) -> bool:
    """Truncate the log of one file; False when the database is in use."""
    with closing(sqlite3.connect(name, timeout=LOCK_SECONDS, uri=True)) as own, suppress(sqlite3.OperationalError):
        return not own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return False


def _keep_one_open(connection: BaseDatabaseWrapper, **_: object) -> None:
    if (name := _file_of(connection)) and name not in _kept:
        own = sqlite3.connect(name, timeout=LOCK_SECONDS, uri=True, check_same_thread=False)
        try:
            own.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read opens the log
        except sqlite3.OperationalError:
            own.close()  # the next connection tries again
        else:
            _kept[name] = own


def _file_of(connection: Any) -> str:
    """Return the path of a database file; empty for a database in memory or on a server."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return ""
    return str(connection.get_connection_params()["database"])
