"""SQLite's write-ahead log: kept where it is while a process lives, and emptied once a minute.

The process that closes the last connection to a file in this mode empties and removes the log, and meanwhile locks out
everybody, readers too. Connections are closed after each request, tick and round, so this would happen many times a
second, and a process that freezes in it would block every page. One idle connection in each process, which holds no
lock, prevents it.

Reference: docs/failure-modes.md, D9, S4 and W18.
"""

import atexit
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

EMPTY_PATIENCE = 0.2  # seconds; while somebody reads or writes it is left for the next time
_kept: dict[str, sqlite3.Connection] = {}


def watch() -> None:
    """Keep one connection open to each file that this process opens from now on."""
    connection_created.connect(_keep_one_open)
    atexit.register(release)


def release() -> None:
    """Let go of all that is kept open."""
    while _kept:
        _kept.popitem()[1].close()


def empty(now: datetime) -> int:  # noqa: ARG001 - a chore is told the time
    """Write what is in the log to the file and empty it: what was deleted is gone from both then."""
    if name := _file_of(connections["default"]):
        empty_file(name)
    return 0


def empty_file(name: str) -> bool:
    """Do so for one file; False when somebody reads or writes in it just now."""
    with closing(sqlite3.connect(name, timeout=EMPTY_PATIENCE, uri=True)) as own, suppress(sqlite3.OperationalError):
        return not own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return False


def _keep_one_open(connection: BaseDatabaseWrapper, **_: object) -> None:
    if (name := _file_of(connection)) and name not in _kept:
        own = sqlite3.connect(name, timeout=EMPTY_PATIENCE, uri=True, check_same_thread=False)
        try:
            own.execute("SELECT count(*) FROM sqlite_master").fetchone()  # it counts from its first read on
        except sqlite3.OperationalError:
            own.close()  # the next connection tries again
        else:
            _kept[name] = own


def _file_of(connection: Any) -> str:
    """Give the path of an SQLite connection's file; nothing for a database in memory, or on a server."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return ""
    return str(connection.get_connection_params()["database"])
