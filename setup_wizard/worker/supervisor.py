"""Enqueue ticks and the registered work of other apps when they are due, at most 0.1 s late; enforce deadlines.

Nothing else enqueues ticks. It reads the database, so a failure of Redis cannot make it wrong; a lost message is
sent again. Several copies are harmless, because each tick is marked as enqueued by compare-and-set first.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import Error, close_old_connections, connection
from kombu.exceptions import OperationalError as QueueError

from setup_wizard.attempts import timing
from setup_wizard.attempts.engine import clock
from setup_wizard.failpoints import Point, reach
from setup_wizard.monitoring import health, heartbeats
from setup_wizard.worker import schedule, schema, tasks
from setup_wizard.worker.due_work import DueWork, due_work
from setup_wizard.worker.periodic import periodic

logger = logging.getLogger(__name__)

QUEUE_PAUSE = timedelta(seconds=1)  # after a failed send: a frozen queue must not hold up everything else
DATABASE_PAUSE = timedelta(seconds=1)


def enqueue(attempt_id: UUID) -> None:
    """Enqueue one tick of this attempt."""
    reach(Point.ENQUEUE_SEND)
    tasks.tick.delay(str(attempt_id))
    reach(Point.ENQUEUE_SENT)


def send_canary() -> None:
    """Enqueue a task that only shows that a worker runs tasks."""
    tasks.canary.apply_async(expires=timing.CANARY_LIFE)


class Supervisor:
    """The loop; setting `stopping` ends it after the current round. Tests replace `enqueue` and `send_canary`."""

    def __init__(
        self, enqueue: Callable[[UUID], None] = enqueue, send_canary: Callable[[], None] = send_canary
    ) -> None:
        self.stopping = threading.Event()
        self._enqueue = enqueue
        self._send_canary = send_canary
        self._beat_at: datetime | None = None
        self._canary_at: datetime | None = None
        self._queue_failed_at: datetime | None = None
        self._queue_reachable = True

    def run(self) -> None:
        """Run until `stopping` is set; wait while the database is away.

        Raises:
            SchemaAhead: the database belongs to a newer version.
        """
        while not self.stopping.is_set():
            # to open a SQLite database takes a fifth of an idle round, so it stays open between heartbeats
            releases_connection = connection.vendor != "sqlite"
            try:
                now = clock.now()
                if self._is_time_to_beat(now):
                    schema.check()
                    releases_connection = True
                self.round(now)
                now = clock.now()
                pause = schedule.pause(now, schedule.next_at(now), due_work.next_at(now))
            except Error as problem:
                if not health.is_outage(problem):
                    raise
                logger.warning("the database cannot be reached; trying again")
                pause = DATABASE_PAUSE.total_seconds()
                connection.close()
            if releases_connection:
                close_old_connections()
            self.stopping.wait(pause)

    def round(self, now: datetime) -> None:
        """Enqueue what is due; every few seconds write a heartbeat, handle deadlines and run periodic jobs."""
        if _is_over(self._queue_failed_at, QUEUE_PAUSE, now):
            self._enqueue_due(now)
        if self._is_time_to_beat(now):
            self._beat_at = now
            heartbeats.beat(heartbeats.SUPERVISOR, queue_reachable=self._queue_reachable)
            schedule.sweep(now)
            periodic.do(now)

    def _is_time_to_beat(self, now: datetime) -> bool:
        return _is_over(self._beat_at, timing.HEARTBEAT_EVERY, now)

    def _enqueue_due(self, now: datetime) -> None:
        self._queue_failed_at = None
        ticks = DueWork(schedule.due, self._enqueue, schedule.unmark, schedule.next_at)
        for kind in (ticks, *due_work):
            for row_id in kind.find(now):
                if not self._try_send(partial(kind.enqueue, row_id)):
                    kind.unmark(row_id)
                    return
        if _is_over(self._canary_at, timing.CANARY_EVERY, now) and self._try_send(self._send_canary):
            self._canary_at = now

    def _try_send(self, send: Callable[[], None]) -> bool:
        try:
            send()
        except QueueError:
            self._queue_failed_at = clock.now()
            self._report_queue(reachable=False)
            return False
        self._report_queue(reachable=True)
        return True

    def _report_queue(self, *, reachable: bool) -> None:
        if reachable is not self._queue_reachable:
            logger.warning("the queue can be reached again" if reachable else "the queue cannot be reached")
            self._queue_reachable = reachable
            heartbeats.beat(heartbeats.SUPERVISOR, queue_reachable=reachable)


def _is_over(began: datetime | None, pause: timedelta, now: datetime) -> bool:
    # a pause that began in the future was measured before the clock was set back
    return began is None or not began <= now < began + pause
