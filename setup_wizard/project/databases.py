"""Translate `DATABASE_URL` for Django, with options that make commits durable."""

from typing import Any, Final

import dj_database_url

SQLITE: Final = {
    # IMMEDIATE: a write after a read must not fail; FULL: the commit that says that a POST is about to be sent must
    # survive a power cut; secure_delete: a deleted secret must be gone from the file
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;PRAGMA secure_delete=ON;",
}
POSTGRESQL: Final = {
    "synchronous_commit": "on",
    "statement_timeout": "5s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "15s",
}
WORKER_LOCK_SECONDS: Final = 5  # shorter than LEASE in attempts/timing.py
# without these, a client waits two hours for a server whose machine is gone
KEEPALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 11_000}
CONNECT_SECONDS: Final = 3
WAIT_SECONDS: Final = 5


def read_database_url(url: str, *, pool: int) -> dict[str, Any]:
    """Return an entry of Django's `DATABASES`.

    Args:
        url: sqlite or postgres. A PostgreSQL URL can have options of libpq (`?sslmode=verify-full`). Its `options`
            follow ours, so that a long migration can have more time (`?options=-c%20statement_timeout%3D0`).
        pool: how many connections to PostgreSQL one process can have; unused for SQLite.
    """
    # each request and tick returns its connection to the pool, which checks it before the next use, so that a restarted
    # server causes no error
    entry: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=0, conn_health_checks=True)}
    given: dict[str, Any] = entry.get("OPTIONS", {})
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["OPTIONS"] = given | SQLITE
    elif entry["ENGINE"] == "django.db.backends.postgresql":
        ours = " ".join(f"-c {name}={value}" for name, value in POSTGRESQL.items())
        entry["OPTIONS"] = {
            "connect_timeout": CONNECT_SECONDS,
            **KEEPALIVE,
            # the pool doubles its delay after each failure: without this limit, a server that was down for two minutes
            # would stay unused for two more
            "pool": {"min_size": 0, "max_size": pool, "timeout": WAIT_SECONDS, "reconnect_timeout": WAIT_SECONDS},
            **given,
            "options": f"{ours} {given.get('options', '')}".strip(),
        }
    return entry


def set_worker_lock_timeout(entry: dict[str, Any]) -> None:
    """Limit how long the worker's connections to SQLite wait for a lock."""
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["OPTIONS"]["timeout"] = WORKER_LOCK_SECONDS
