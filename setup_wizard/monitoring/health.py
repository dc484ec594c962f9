"""Check whether each part works, for health probes and for the banner on every page.

A running process may still be stuck. So the worker is judged by a test task that it ran, the supervisor by its
heartbeat, the queue by its answer, and the live updates of this process by their last round.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import redis
from django.db import Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest

from setup_wizard.attempts import timing
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.redis_client import make_client
from setup_wizard.monitoring import heartbeats
from setup_wizard.monitoring.models import Heartbeat

READ_ONLY = "25006"
TOO_COMPLEX = "54"  # class of SQLSTATE: the statement itself is the problem, so it will fail again


@dataclass(frozen=True, slots=True)
class Trouble:
    """One part that does not work, and what that means for the reader."""

    part: str
    text: str
    level: str = "bad"


@dataclass(frozen=True, slots=True)
class PartCheck:
    """Whether one part works, and how many milliseconds the check took."""

    ok: bool
    ms: float


SUPERVISOR_DOWN = Trouble(
    "supervisor", "The supervisor is not running. Setups pause until it is back; nothing is lost."
)
QUEUE_DOWN = Trouble("queue", "The queue cannot be reached. Setups pause until it is back; nothing is lost.")
WORKER_DOWN = Trouble("worker", "The worker is not running any tasks. Setups pause until it does; nothing is lost.")
BROADCASTER_DOWN = Trouble("broadcaster", "Live updates are down. Reload to see progress; setups continue.", "warn")


_live_updates: list[Callable[[], bool]] = []


def register_live_updates(works: Callable[[], bool]) -> None:
    """Register the function that tells whether live updates work in this process; any thread may call it."""
    _live_updates[:] = [works]


def is_live() -> bool:
    """Tell whether live updates work in this process."""
    return all(works() for works in _live_updates)


def banner(request: HttpRequest) -> dict[str, Any]:
    """Template context: `banner`, the parts that do not work, for people who are signed in."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"banner": []}
    return shown(troubles())


def shown(found: list[Trouble]) -> dict[str, Any]:
    """Template context: `banner` with these parts, and how often the page asks for it again."""
    return {"banner": found, "banner_every": int(timing.BANNER_EVERY.total_seconds())}


def is_outage(problem: BaseException | None) -> bool:
    """Tell whether an exception means that the database is away, locked, full or read-only, and not a bug of ours."""
    if isinstance(problem, OperationalError | InterfaceError):
        return not _is_bad_statement(problem.__cause__)
    # a PostgreSQL server that became a standby refuses writes; the driver reports that as an internal error
    return isinstance(problem, Error) and getattr(problem.__cause__, "sqlstate", None) == READ_ONLY


def _is_bad_statement(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):  # a closed connection has no code
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return str(getattr(cause, "sqlstate", None) or "").startswith(TOO_COMPLEX)


def troubles() -> list[Trouble]:
    """Name the part that does not work now; if parts depend on each other, the one the others wait for."""
    try:
        beats, now = {beat.part: beat for beat in Heartbeat.objects.all()}, clock.now()
    except (OperationalError, InterfaceError):
        return []  # without a database every page is an error page, which says so itself
    if not heartbeats.is_fresh(beats.get(heartbeats.SUPERVISOR), timing.HEARTBEAT_STALE, now):
        return [SUPERVISOR_DOWN]
    if beats[heartbeats.SUPERVISOR].queue_lost_at:
        return [QUEUE_DOWN]
    if not heartbeats.is_fresh(beats.get(heartbeats.WORKER), timing.CANARY_STALE, now):
        return [WORKER_DOWN]
    return [] if is_live() else [BROADCASTER_DOWN]


def checks() -> dict[str, PartCheck]:
    """Check each part now; `broadcaster` means the live updates of this process only."""
    return {
        "database": _timed(_database_answers),
        "broker": _timed(_broker_answers),
        "supervisor": _timed(lambda: _beats(heartbeats.SUPERVISOR, timing.HEARTBEAT_STALE)),
        "worker": _timed(lambda: _beats(heartbeats.WORKER, timing.CANARY_STALE)),
        "broadcaster": _timed(is_live),
    }


def _timed(check: Callable[[], bool]) -> PartCheck:
    begun = monotonic()
    ok = check()
    return PartCheck(ok, round((monotonic() - begun) * 1000, 1))


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except (OperationalError, InterfaceError):
        return False


def broker_client() -> redis.Redis:
    """Make a client that connects and answers within the time allowed for the queue."""
    return make_client(timing.BROKER_TIMEOUT / 2)  # half for the connection, half for the answer


def _broker_answers() -> bool:
    client = broker_client()
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def _beats(part: str, stale: timedelta) -> bool:
    try:
        return heartbeats.is_fresh(Heartbeat.objects.filter(part=part).first(), stale, clock.now())
    except (OperationalError, InterfaceError):
        return False
