"""Ring the worker for every tick that is due, at most 0.1 s late, and keep every deadline.

It alone rings. It needs neither Redis nor Celery beat to be right: what it goes by are rows, and a ring that is lost is
repeated. Several copies are harmless, because each ring is marked by compare-and-set first.

Reference: docs/failure-modes.md, D3.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Event as Signal
from uuid import UUID

from django.db import Error, close_old_connections, connection
from kombu.exceptions import OperationalError as QueueError

from setup_wizard.attempts import timing
from setup_wizard.attempts.engine import clock
from setup_wizard.failpoints import Point, reach
from setup_wizard.monitoring import health, heartbeats
from setup_wizard.worker import schedule, schema, tasks
from setup_wizard.worker.periodic import periodic

logger = logging.getLogger(__name__)

QUEUE_PAUSE = timedelta(seconds=1)  # after a ring that failed, so that a frozen queue does not hold up everything else
DATABASE_PAUSE = 1.0


def ring(attempt_id: UUID) -> None:
    """Tell the worker that this attempt is due."""
    reach(Point.ENQUEUE_SEND)
    tasks.tick.delay(str(attempt_id))
    reach(Point.ENQUEUE_SENT)


def send_canary() -> None:
    """Ask the worker to show that it takes tasks."""
    tasks.canary.apply_async(expires=timing.CANARY_LIFE)


class Supervisor:
    """The loop; `ring` and `send_canary` may be replaced, and `stop` ends it after the round it is in."""

    def __init__(self, ring: Callable[[UUID], None] = ring, send_canary: Callable[[], None] = send_canary) -> None:
        self.stop = Signal()
        self._ring = ring
        self._send_canary = send_canary
        self._beat_at: datetime | None = None
        self._canary_at: datetime | None = None
        self._queue_left_at: datetime | None = None
        self._queue_reachable = True

    def run(self) -> None:
        """Go round until `stop` is set; a database that is away for a while is waited for.

        Raises:
            SchemaAhead: the database belongs to a newer version. Reference: row 49.
        """
        while not self.stop.is_set():
            try:
                now = clock.now()
                if self._is_time_to_beat(now):
                    schema.check()
                self.round(now)
                pause = schedule.pause(clock.now())
            except Error as problem:
                if not health.is_outage(problem):
                    raise
                logger.warning("the database cannot be reached; trying again")
                pause = DATABASE_PAUSE
                connection.close()
            close_old_connections()
            self.stop.wait(pause)

    def round(self, now: datetime) -> None:
        """Ring for what is due; every few seconds also beat, and keep deadlines and purges."""
        if _is_over(self._queue_left_at, QUEUE_PAUSE, now):
            self._ring_all(now)
        if self._is_time_to_beat(now):
            self._beat_at = now
            heartbeats.beat(heartbeats.SUPERVISOR, queue_reachable=self._queue_reachable)
            schedule.sweep(now)
            periodic.do(now)

    def _is_time_to_beat(self, now: datetime) -> bool:
        return _is_over(self._beat_at, timing.HEARTBEAT_EVERY, now)

    def _ring_all(self, now: datetime) -> None:
        self._queue_left_at = None
        for attempt_id in schedule.due(now):
            if not self._sends(partial(self._ring, attempt_id)):
                schedule.unmark(attempt_id)
                return
        if _is_over(self._canary_at, timing.CANARY_EVERY, now) and self._sends(self._send_canary):
            self._canary_at = now

    def _sends(self, send: Callable[[], None]) -> bool:
        """Send something through the queue; one that is away is left alone for a moment, and that is told."""
        try:
            send()
        except QueueError:
            self._queue_left_at = clock.now()
            self._heard(reachable=False)
            return False
        self._heard(reachable=True)
        return True

    def _heard(self, *, reachable: bool) -> None:
        if reachable is not self._queue_reachable:
            logger.warning("the queue is %s", "back" if reachable else "out of reach")
            self._queue_reachable = reachable
            heartbeats.beat(heartbeats.SUPERVISOR, queue_reachable=reachable)


def _is_over(began: datetime | None, pause: timedelta, now: datetime) -> bool:
    """Say whether a pause has passed; one that began in the future was measured by a clock put back since."""
    return began is None or not began <= now < began + pause
