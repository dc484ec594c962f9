"""From the event to the receiver, as the supervisor enqueues it and the worker's tasks do it."""

import pytest
from django.utils import timezone

from setup_wizard.notifications.models import Delivery, DeliveryState
from setup_wizard.project.celery import app
from setup_wizard.worker.supervisor import Supervisor
from tests.notifications.conftest import KEY
from tests.notifications.receivers import verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor():
    """A supervisor whose messages reach a worker at once, in this process: nothing is sent to a broker."""
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield Supervisor(enqueue=lambda _: None, send_canary=lambda: None)
    app.conf.task_always_eager = app.conf.task_eager_propagates = False


def test_supervisor_has_an_event_delivered(supervisor, receive, add_webhook, end_attempt):
    receiver = receive()
    add_webhook(receiver.url())
    attempt = end_attempt()

    for _ in range(2):  # one reads the event, the next one finds the delivery
        supervisor.round(timezone.now())

    [request] = receiver.requests
    assert verified(request, KEY)["data"]["id"] == str(attempt.pk)
    assert Delivery.objects.get().status is DeliveryState.DELIVERED

    supervisor.round(timezone.now())
    assert len(receiver.requests) == 1
