"""A receiver on loopback, a webhook for it, and a worker that does what is due."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Event
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.notifications import deliveries, outbox, schedule, secrets
from setup_wizard.notifications.models import Delivery, DeliveryState, EventCursor, Webhook
from setup_wizard.notifications.secrets import WebhookSecrets
from tests.attempts.attempt_rows import add_attempt
from tests.notifications.receivers import Receiver, ServerAuthority, accepting

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return ServerAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _webhooks_are_on(settings, monkeypatch, authority):
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))


@pytest.fixture
def receive(authority):
    """Start receivers; they stop at the end of the test."""
    started = []

    def start(script=accepting, *, names=("127.0.0.1", "localhost"), identity=None):
        started.append(Receiver(identity or authority.identity(*names), script))
        return started[-1]

    yield start
    for receiver in started:
        receiver.stop()


@pytest.fixture
def maria(db):
    return assign(User.objects.create_user("maria"), Role.OPERATOR)


@pytest.fixture
def add_webhook(db):
    """Add a webhook that gets everything from now on."""

    def add(url, name="Operations", **fields):
        webhook = Webhook(name=name, host="127.0.0.1", told_since=timezone.now() - timedelta(seconds=1), **fields)
        secrets.seal(webhook, WebhookSecrets(Secret(url), Secret(KEY)))
        webhook.save()
        outbox.begin()
        return webhook

    return add


@pytest.fixture
def end_attempt(maria):
    """Let an attempt end, as the engine writes it."""

    def end(state=State.FAILED, *, reason="unreachable", kind=None, message="No answer for five minutes", **fields):
        attempt = add_attempt(maria, state=state, reason=reason, minutes_ago=1, **fields)
        add_event(attempt, kind or state.value, message, reason)
        return attempt

    return end


def add_event(attempt, kind, message="Words", reason="", **fields):
    data = {"reason": reason} if reason else {}
    seq = attempt.events.count() + 1
    return Event.objects.create(attempt=attempt, seq=seq, kind=kind, message=message, data=data, **fields)


def make_notices():
    """Make the notices of new events, with their deliveries, as the worker does; gives how many notices."""
    return sum(outbox.read(cursor.pk) for cursor in EventCursor.objects.all())


def try_due(now=None):
    """Try every delivery that the supervisor would enqueue; give the rows."""
    due = list(schedule.due_deliveries(now or timezone.now()))
    return [done for each in due if (done := deliveries.deliver(each))]


def make_due():
    """Let the time until the next tries pass."""
    waiting = Delivery.objects.filter(state=DeliveryState.WAITING)
    waiting.update(next_try_at=timezone.now() - timedelta(seconds=1), busy_until=None, enqueued_at=None)
