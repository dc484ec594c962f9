"""Whether each part that moves attempts works: for the probes of whoever runs this, and for a banner on every page.

A process that is up proves nothing, so the worker is judged by a canary that it really consumed, the supervisor by its
heartbeat, the queue by an answer, and this process's own broadcaster by its rounds.

Reference: docs/failure-modes.md, W18.
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
# a statement that the database cannot work with, whatever state it is in: the same one will fail tomorrow
UNWORKABLE = "54"  # class of SQLSTATE: too complex, too deep


@dataclass(frozen=True, slots=True)
class Trouble:
    """One part that does not work, and what that means for the reader."""

    part: str
    text: str
    level: str = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """How one part was found, and how long it took to find out, in milliseconds."""

    ok: bool
    ms: float


SUPERVISOR_AWAY = Trouble("supervisor", "The supervisor is not running. Setups wait until it is back; nothing is lost.")
QUEUE_AWAY = Trouble(
    "queue", "The queue cannot be reached. Setups will start, and go on, when it is back; nothing is lost."
)
WORKER_AWAY = Trouble("worker", "The worker is not taking up any work. Setups wait until it does; nothing is lost.")
BROADCASTER_AWAY = Trouble(
    "broadcaster", "Pages are not told of news now. Load a page again to see how far it is; setups go on.", "warn"
)


_live_updates: list[Callable[[], bool]] = []


def register_live_updates(works: Callable[[], bool]) -> None:
    """Let the app that sends live updates say, from any thread, whether they work in this process."""
    _live_updates[:] = [works]


def is_live() -> bool:
    """Tell whether live updates work in this process."""
    return all(works() for works in _live_updates)


def banner(request: HttpRequest) -> dict[str, Any]:
    """Template context: `banner`, what people who are signed in should know before all else."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"banner": []}
    return shown(troubles())


def shown(found: list[Trouble]) -> dict[str, Any]:
    """Template context for these."""
    return {"banner": found, "banner_every": int(timing.BANNER_EVERY.total_seconds())}


def is_outage(problem: BaseException | None) -> bool:
    """Tell whether what was raised means that the database is away, locked, full or read-only, not a fault of ours."""
    if isinstance(problem, OperationalError | InterfaceError):
        return not _is_bad_statement(problem.__cause__)
    # a server that has become another's stand-by takes no writes; its driver files that under its own faults
    return isinstance(problem, Error) and getattr(problem.__cause__, "sqlstate", None) == READ_ONLY


def _is_bad_statement(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):  # of a connection that is closed it gives no code
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return str(getattr(cause, "sqlstate", None) or "").startswith(UNWORKABLE)


def troubles() -> list[Trouble]:
    """Name the part that does not work now; of parts that need each other, the one that the others wait for."""
    try:
        beats, now = {beat.part: beat for beat in Heartbeat.objects.all()}, clock.now()
    except (OperationalError, InterfaceError):
        return []  # no page comes out without a database, and that one says so itself
    if not heartbeats.is_fresh(beats.get(heartbeats.SUPERVISOR), timing.HEARTBEAT_STALE, now):
        return [SUPERVISOR_AWAY]
    if beats[heartbeats.SUPERVISOR].queue_lost_at:
        return [QUEUE_AWAY]
    if not heartbeats.is_fresh(beats.get(heartbeats.WORKER), timing.CANARY_STALE, now):
        return [WORKER_AWAY]
    return [] if is_live() else [BROADCASTER_AWAY]


def checks() -> dict[str, Check]:
    """Look at each part now: `database`, `broker`, `supervisor` and `worker`, these two by what they wrote there.

    And the `broadcaster` of this process alone: another's is for whoever asks that one.
    """
    return {
        "database": _timed(_database_answers),
        "broker": _timed(_broker_answers),
        "supervisor": _timed(lambda: _beats(heartbeats.SUPERVISOR, timing.HEARTBEAT_STALE)),
        "worker": _timed(lambda: _beats(heartbeats.WORKER, timing.CANARY_STALE)),
        "broadcaster": _timed(is_live),
    }


def _timed(look: Callable[[], bool]) -> Check:
    begun = monotonic()
    ok = look()
    return Check(ok, round((monotonic() - begun) * 1000, 1))


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone())
    except (OperationalError, InterfaceError):
        return False


def broker_client() -> redis.Redis:
    """Make a client that connects and answers within the time allowed for the queue."""
    return make_client(timing.BROKER_ANSWER / 2)  # half for the connection, half for the answer


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
