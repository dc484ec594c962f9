"""Metrics for Prometheus, read from the database at each scrape, so any web process can answer.

Processes appear by what they wrote there: heartbeats, open streams, and the measurements of workers. No metric names a
node, a cluster, a person or an address.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import redis
from django.conf import settings
from django.db import Error
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from setup_wizard.attempts.models import MOVING_STATES, Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.monitoring import health, histograms
from setup_wizard.monitoring.models import Heartbeat, HistogramBucket

Family = GaugeMetricFamily | HistogramMetricFamily
Rows = dict[str, dict[str, dict[float, HistogramBucket]]]  # by measure, labels and upper bound

PREFIX: Final = "setup_wizard"
QUEUE: Final = "celery"
UNACKNOWLEDGED: Final = "unacked"
OTHER: Final = "other"  # an error code that is not documented is not repeated: it could contain anything

_registered: list[Callable[[], Iterator[Family]]] = []


def register(read: Callable[[], Iterator[Family]]) -> None:
    """Add what another part measures; it is read from the database at each scrape."""
    if read not in _registered:
        _registered.append(read)


def write(accept: str) -> tuple[bytes, str]:
    """Give all metrics in the format that `accept` prefers, and the content type of that format.

    While the database is away, metrics that need it are left out; `up` shows the reason.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_AllMetrics())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _AllMetrics(Collector):
    def collect(self) -> Iterator[Family]:
        yield _parts()
        yield from _queue()
        with suppress(Error):  # `up` shows the reason
            yield from [_attempts(), *_due(), *_processes(), *_measured()]
            for read in _registered:
                yield from read()


def _parts() -> Family:
    family = GaugeMetricFamily(f"{PREFIX}_up", "Whether a part works: 1 or 0.", labels=["part"])
    for part, check in health.checks().items():
        family.add_metric([part], float(check.ok))
    return family


def queued() -> tuple[int, int] | None:
    """Count the messages in the queue that wait, and those that a worker has taken; None while it does not answer."""
    prefix = str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"])
    client = health.broker_client()
    try:
        return client.llen(prefix + QUEUE), client.hlen(prefix + UNACKNOWLEDGED)
    except (redis.RedisError, OSError):
        return None
    finally:
        client.close()


def _queue() -> Iterator[Family]:
    found = queued()
    if found is None:
        return
    waiting, taken = found
    family = GaugeMetricFamily(f"{PREFIX}_queue_messages", "Messages in the queue.", labels=["state"])
    family.add_metric(["waiting"], waiting)
    family.add_metric(["taken"], taken)
    yield family


def _attempts() -> Family:
    family = GaugeMetricFamily(
        f"{PREFIX}_attempts", "Attempts by state, reason and error code.", labels=["state", "reason", "error_code"]
    )
    rows = Attempt.objects.order_by().values_list("state", "reason", "error_code").annotate(Count("pk"))
    found: dict[tuple[str, str, str], int] = defaultdict(int, {(state.value, "", ""): 0 for state in State})
    known = {code.value for code in ErrorCode} | {""}
    for state, reason, code, count in rows:
        found[state, reason, code if code in known else OTHER] += count
    for labels, count in sorted(found.items()):
        family.add_metric(labels, count)
    return family


def due_ticks() -> tuple[int, float]:
    """Count the ticks that are due and not claimed, and say for how many seconds the oldest has waited."""
    now = timezone.now()
    due = Attempt.objects.filter(state__in=MOVING_STATES, next_tick_at__lte=now, lease_expires_at__lte=now)
    found = due.aggregate(count=Count("pk"), first=Min("next_tick_at"))
    return found["count"], (now - found["first"]).total_seconds() if found["first"] else 0.0


def _due() -> Iterator[Family]:
    count, waits = due_ticks()
    yield GaugeMetricFamily(f"{PREFIX}_ticks_due", "Ticks that are due and not claimed.", value=count)
    yield GaugeMetricFamily(f"{PREFIX}_tick_waits_seconds", "How long the oldest of those has waited.", value=waits)


def _processes() -> Iterator[Family]:
    now, beats = timezone.now(), list(Heartbeat.objects.order_by("part"))
    ages = GaugeMetricFamily(
        f"{PREFIX}_heartbeat_age_seconds", "Time since the last heartbeat of a part.", labels=["part"]
    )
    streams = GaugeMetricFamily(f"{PREFIX}_streams", "Open streams of a web process.", labels=["process"])
    for beat in beats:
        ages.add_metric([beat.part], max((now - beat.at).total_seconds(), 0.0))
        if beat.streams is not None:
            streams.add_metric([beat.part], beat.streams)
    yield ages
    yield streams


def _measured() -> Iterator[Family]:
    rows: Rows = {measure: defaultdict(dict) for measure in histograms.BOUNDS}
    for row in HistogramBucket.objects.all():
        if row.measure in rows:
            rows[row.measure][row.labels][row.up_to] = row
    yield _histogram(
        histograms.LATENESS,
        "Time from when a tick is due to its claim, by whether the node answered last time.",
        ["node"],
        rows,
    )
    yield _histogram(
        histograms.EXCHANGE,
        "Time of one exchange with a node including the connection, by call and outcome.",
        ["call", "outcome"],
        rows,
    )


def _histogram(measure: str, text: str, names: list[str], rows: Rows) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"{PREFIX}_{measure}_seconds", text, labels=names)
    for labels, found in sorted(rows[measure].items()):
        buckets, total = [], 0
        for bound in (*histograms.BOUNDS[measure], histograms.BEYOND):
            total += found[bound].count if bound in found else 0
            buckets.append(("+Inf" if bound == histograms.BEYOND else str(bound), float(total)))
        family.add_metric(labels.split(" "), buckets, sum(row.seconds for row in found.values()))
    return family
