"""Metrics of deliveries: how many wait, and for how long the oldest has waited."""

from collections.abc import Iterator
from typing import Final

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from setup_wizard.monitoring import metrics
from setup_wizard.notifications.models import Delivery, DeliveryState

RECEIVERS: Final = {"webhook": False, "email": True}
"""Each kind of receiver, and whether its deliveries have no webhook."""


def register() -> None:
    """Add them to `/metrics`."""
    metrics.register(_waiting)


def _waiting() -> Iterator[GaugeMetricFamily]:
    counts = GaugeMetricFamily(
        f"{metrics.PREFIX}_deliveries_waiting", "Notices that are not delivered yet.", labels=["receiver"]
    )
    ages = GaugeMetricFamily(
        f"{metrics.PREFIX}_delivery_waits_seconds", "Age of the oldest of those.", labels=["receiver"]
    )
    now, waiting = timezone.now(), Delivery.objects.filter(state=DeliveryState.WAITING)
    for receiver, has_none in RECEIVERS.items():
        found = waiting.filter(webhook__isnull=has_none).aggregate(count=Count("pk"), first=Min("created_at"))
        counts.add_metric([receiver], found["count"])
        ages.add_metric([receiver], max((now - found["first"]).total_seconds(), 0.0) if found["first"] else 0.0)
    yield counts
    yield ages
