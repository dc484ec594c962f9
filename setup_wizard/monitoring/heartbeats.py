"""Heartbeats: each process writes one regularly, and health checks read how old it is."""

from datetime import datetime, timedelta

from setup_wizard.attempts.engine import clock
from setup_wizard.monitoring.models import Heartbeat

SUPERVISOR = "supervisor"
WORKER = "worker"
WEB = "web"  # one for each process: web:<host>:<process id>


def is_fresh(beat: Heartbeat | None, stale: timedelta, now: datetime) -> bool:
    """Tell whether a part has shown lately that it works."""
    # a heartbeat from the future was written before the clock was set back
    return beat is not None and abs(now - beat.at) < stale


def beat(part: str, *, queue_reachable: bool = True) -> None:
    """Record that `part` works, and since when it cannot reach the queue."""
    now = clock.now()
    Heartbeat.objects.update_or_create(part=part, defaults={"at": now})
    if queue_reachable:
        Heartbeat.objects.filter(part=part).exclude(queue_lost_at=None).update(queue_lost_at=None)
    else:
        Heartbeat.objects.filter(part=part, queue_lost_at=None).update(queue_lost_at=now)
