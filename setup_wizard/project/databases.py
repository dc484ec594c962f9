"""One `DATABASE_URL` for people, and the options under which a committed row can be trusted.

Reference: docs/failure-modes.md, D9, S4, pitfalls 22, 23 and 26.
"""

from typing import Any, Final

import dj_database_url

SQLITE: Final = {
    # a write must not fail because a read came first (IMMEDIATE), a committed intent must survive a power cut (FULL),
    # and a deleted secret must be gone from the file (secure_delete)
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
WORKER_LOCK_SECONDS: Final = 5  # a tick that waits for SQLite's lock gives up inside its lease
# a server whose machine is gone says nothing: without these one waits two hours for its answer
KEEPALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 11_000}
CONNECT_SECONDS: Final = 3
WAIT_SECONDS: Final = 5


def read_database_url(url: str, *, pool: int) -> dict[str, Any]:
    """Turn a URL into one entry of Django's `DATABASES`.

    Args:
        url: sqlite or postgres. A PostgreSQL URL may bring options of libpq (`?sslmode=verify-full`); its own `options`
            come after ours, so that a long migration can be given more time (`?options=-c%20statement_timeout%3D0`).
        pool: how many connections to PostgreSQL one process may hold; SQLite has no use for it.
    """
    # a connection is given back at the end of each request and each tick: the pool keeps it, and checks it when it is
    # taken again, so that a restarted server costs nobody an error
    entry: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=0, conn_health_checks=True)}
    given: dict[str, Any] = entry.get("OPTIONS", {})
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["OPTIONS"] = given | SQLITE
    elif entry["ENGINE"] == "django.db.backends.postgresql":
        ours = " ".join(f"-c {name}={value}" for name, value in POSTGRESQL.items())
        entry["OPTIONS"] = {
            "connect_timeout": CONNECT_SECONDS,
            **KEEPALIVE,
            # a pool goes on trying by itself, each time after twice as long: left to that, a server that was away for
            # two minutes would be missed for two more
            "pool": {"min_size": 0, "max_size": pool, "timeout": WAIT_SECONDS, "reconnect_timeout": WAIT_SECONDS},
            **given,
            "options": f"{ours} {given.get('options', '')}".strip(),
        }
    return entry


def hurry(entry: dict[str, Any]) -> None:
    """Let the connections that are opened from now on wait no longer for a lock than a tick may; for the worker."""
    if entry["ENGINE"] == "django.db.backends.sqlite3":
        entry["OPTIONS"]["timeout"] = WORKER_LOCK_SECONDS
