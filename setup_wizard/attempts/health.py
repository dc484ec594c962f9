"""Whether each part that moves attempts works: for the probes of whoever runs this, and for a banner on every page.

A process that is up proves nothing, so the worker is judged by a canary that it really consumed, the supervisor by its
heartbeat, the queue by an answer.

Reference: docs/failure-modes.md, W18.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from redis.backoff import NoBackoff
from redis.retry import Retry

from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import timing
from setup_wizard.attempts.engine import schedule
from setup_wizard.attempts.models import Heartbeat

NOTHING_NEW = 204


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


def banner(request: HttpRequest) -> dict[str, list[Trouble]]:
    """Template context: `banner`, what people who are signed in should know before all else."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"banner": []}
    return {"banner": troubles()}


@in_background
@login_not_required
@require_GET
def show_banner(request: HttpRequest) -> HttpResponse:
    """The banner for a page that is open: 204 when the page shows it already, or nobody is signed in."""
    if not request.user.is_authenticated:  # a page whose session has ended keeps what was typed into it
        return HttpResponse(status=NOTHING_NEW)
    found = troubles()
    if request.GET.get("shown", "") == ",".join(trouble.part for trouble in found):
        return HttpResponse(status=NOTHING_NEW)
    return render(request, "attempts/_health.html", {"banner": found})


def troubles() -> list[Trouble]:
    """Name the part that does not work now; of parts that need each other, the one that the others wait for."""
    try:
        beats = {beat.part: beat for beat in Heartbeat.objects.all()}
    except (OperationalError, InterfaceError):
        return []  # no page comes out without a database, and that one says so itself
    if not _is_fresh(beats.get(schedule.SUPERVISOR), timing.HEARTBEAT_STALE):
        return [SUPERVISOR_AWAY]
    if beats[schedule.SUPERVISOR].queue_lost_at:
        return [QUEUE_AWAY]
    return [] if _is_fresh(beats.get(schedule.WORKER), timing.CANARY_STALE) else [WORKER_AWAY]


def checks() -> dict[str, Check]:
    """Look at each part now: `database`, `broker`, `supervisor` and `worker`, the last two by what they wrote there."""
    return {
        "database": _timed(_database_answers),
        "broker": _timed(_broker_answers),
        "supervisor": _timed(lambda: _beats(schedule.SUPERVISOR, timing.HEARTBEAT_STALE)),
        "worker": _timed(lambda: _beats(schedule.WORKER, timing.CANARY_STALE)),
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


def _broker_answers() -> bool:
    half = timing.BROKER_ANSWER / 2  # one for the connection, one for the answer
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=half, socket_timeout=half, retry=Retry(NoBackoff(), 0)
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def _beats(part: str, stale: timedelta) -> bool:
    try:
        return _is_fresh(Heartbeat.objects.filter(part=part).first(), stale)
    except (OperationalError, InterfaceError):
        return False


def _is_fresh(beat: Heartbeat | None, stale: timedelta) -> bool:
    return beat is not None and beat.at > timezone.now() - stale
