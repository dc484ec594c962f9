"""/metrics: the deliveries that wait."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from setup_wizard.monitoring import metrics
from setup_wizard.notifications import outbox
from setup_wizard.notifications.models import Delivery, DeliveryState

pytestmark = pytest.mark.django_db


def by_receiver(name):
    written, _ = metrics.write("text/plain")
    family = next(each for each in text_string_to_metric_families(written.decode()) if each.name == name)
    return {sample.labels["receiver"]: sample.value for sample in family.samples}


def test_metrics_count_waiting_deliveries_and_their_oldest(add_webhook):
    webhook, now = add_webhook("https://127.0.0.1:1/"), timezone.now()
    oldest, _, delivered = (outbox.make_test(webhook) for _ in range(3))
    Delivery.objects.filter(pk=oldest.pk).update(created_at=now - timedelta(hours=3))
    Delivery.objects.filter(pk=delivered.pk).update(
        created_at=now - timedelta(hours=9), state=DeliveryState.DELIVERED, next_try_at=None
    )

    waits = by_receiver("setup_wizard_delivery_waits_seconds")

    assert by_receiver("setup_wizard_deliveries_waiting") == {"webhook": 2, "email": 0}
    assert 3 * 3600 <= waits["webhook"] < 3 * 3600 + 60
    assert waits["email"] == 0
