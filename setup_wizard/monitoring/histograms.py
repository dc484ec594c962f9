"""Measure how late ticks start and how long nodes take, in every worker process, for `metrics.py` to show.

Each process counts in memory and adds its counts to the rows every few seconds. So any number of processes share the
rows, and counts outlive the process. A killed process loses its last few seconds of counts, nothing else.
"""

import logging
import re
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Event, Lock, Thread
from time import monotonic
from typing import Final, TypeAlias

from django.db import Error, close_old_connections, transaction
from django.db.models import F
from django.utils import timezone

from setup_wizard.attempts import timing
from setup_wizard.attempts.engine import Lease
from setup_wizard.attempts.observations import Observation
from setup_wizard.attempts.reducer import Exchange, next_exchange
from setup_wizard.monitoring.models import HistogramBucket

Bucket: TypeAlias = tuple[str, str, float]

LATENESS: Final = "tick_lateness"
EXCHANGE: Final = "node_exchange"
BOUNDS: Final = {
    LATENESS: (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    EXCHANGE: (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0, 13.0),
}
"""Upper bounds in seconds; the largest ones are limits from `timing.py`."""
BEYOND: Final = -1.0  # stands for infinity, which not every database can store

logger = logging.getLogger(__name__)

_counted: dict[Bucket, tuple[int, float]] = {}
_lock = Lock()
_started = Event()


def count_claim(lease: Lease) -> None:
    """Count how late this tick is, from when it was due to its claim."""
    silent = lease.snapshot.silent_since is not None
    late = timezone.now() - lease.attempt.next_tick_at
    note(LATENESS, "silent" if silent else "answering", max(late, timedelta(0)).total_seconds())


def timed(exchange: Callable[[Lease], Observation], lease: Lease) -> Observation:
    """Run the exchange, and count how long it took and how it ended."""
    wanted, begun = next_exchange(lease.snapshot), monotonic()
    seen = exchange(lease)
    if wanted is not Exchange.QUEUE:  # an attempt that waits for its cluster does not contact a node
        note(EXCHANGE, f"{wanted} {_outcome(seen)}", monotonic() - begun)
    return seen


def note(measure: str, labels: str, seconds: float) -> None:
    """Add one measurement to its bucket."""
    bounds = BOUNDS[measure]
    position = bisect_left(bounds, seconds)
    bucket = (measure, labels, bounds[position] if position < len(bounds) else BEYOND)
    with _lock:
        count, total = _counted.get(bucket, (0, 0.0))
        _counted[bucket] = (count + 1, total + seconds)


def start() -> None:
    """Update the rows from a thread of this process; a second call does nothing."""
    if not _started.is_set():
        _started.set()
        Thread(target=_run, name="measurements", daemon=True).start()


def flush() -> None:
    """Add the new counts to the rows; counts that cannot be written are kept for the next call.

    Raises:
        Error: the database is away.
    """
    with _lock:
        new = dict(_counted)
        _counted.clear()
    try:
        with transaction.atomic():
            # always in the same order, to avoid deadlocks
            for (measure, labels, up_to), (count, seconds) in sorted(new.items()):
                _add(measure, labels, up_to, count, seconds)
    except Error:
        with _lock:
            for bucket, (count, seconds) in new.items():
                more, longer = _counted.get(bucket, (0, 0.0))
                _counted[bucket] = (count + more, seconds + longer)
        raise


def _add(measure: str, labels: str, up_to: float, count: int, seconds: float) -> None:
    bucket = HistogramBucket.objects.filter(measure=measure, labels=labels, up_to=up_to)
    new = {"count": F("count") + count, "seconds": F("seconds") + seconds}
    if not bucket.update(**new):
        HistogramBucket.objects.bulk_create(
            [HistogramBucket(measure=measure, labels=labels, up_to=up_to)], ignore_conflicts=True
        )
        bucket.update(**new)


def _run() -> None:
    pause = Event()
    while not pause.wait(timing.HISTOGRAMS_EVERY):
        try:
            flush()
        except Error as failure:
            logger.info("measurements wait for the database: %s", type(failure).__name__)
        with suppress(Error):
            close_old_connections()


def _outcome(seen: Observation) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(seen).__name__).lower()
