"""Nothing is lost and nothing is repeated under another id: receivers that are away, slow, or refuse."""

import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from setup_wizard.notifications import deliveries, outbox, schedule
from setup_wizard.notifications.models import Delivery, DeliveryState, Webhook
from tests.notifications.conftest import KEY, make_due, make_notices, try_due
from tests.notifications.receivers import SLACK_PATH, accepting, answering, verified

pytestmark = pytest.mark.django_db


def test_end_of_an_attempt_arrives_signed(receive, add_webhook, end_attempt, settings):
    settings.SETUP_WIZARD_PAGES_URL = "https://setup.example.com"
    receiver = receive()
    add_webhook(receiver.url())
    attempt = end_attempt()
    make_notices()

    [delivery] = try_due()

    [request] = receiver.requests
    message = verified(request, KEY)
    assert message["type"] == "attempt.ended"
    assert message["data"]["id"] == str(attempt.pk)
    assert message["data"]["state"] == "failed"
    assert message["data"]["url"] == f"https://setup.example.com/attempts/{attempt.pk}/"
    delivery.refresh_from_db()
    assert (delivery.status, delivery.status_code, delivery.tries) == (DeliveryState.DELIVERED, 200, 1)
    assert delivery.duration > 0
    assert try_due() == []


def test_receiver_that_was_killed_gets_it_later_under_the_same_id(receive, add_webhook, end_attempt):
    receiver = receive()
    add_webhook(receiver.url())
    receiver.stop()
    end_attempt()
    make_notices()

    [failed] = try_due()
    assert failed.status is DeliveryState.WAITING
    assert "Cannot connect to 127.0.0.1" in failed.error
    receiver.restart()
    make_due()
    [done] = try_due()

    assert done.status is DeliveryState.DELIVERED
    assert [request.headers["webhook-id"] for request in receiver.requests] == [failed.message_id]


def test_receiver_killed_after_it_read_the_message_gets_the_same_id_again(receive, add_webhook, end_attempt):
    receiver = receive(lambda peer: (peer.read_request(), peer.reset()))
    add_webhook(receiver.url())
    end_attempt()
    make_notices()

    try_due()
    receiver.stop()
    receiver.restart(accepting)
    make_due()
    try_due()

    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert Delivery.objects.get().status is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_other_answers_are_tried_again(receive, add_webhook, end_attempt, status):
    receiver = receive(answering(status, location="https://127.0.0.1/elsewhere"))
    add_webhook(receiver.url())
    end_attempt()
    make_notices()

    [delivery] = try_due()

    assert delivery.status is DeliveryState.WAITING
    assert delivery.status_code == status
    assert str(status) in delivery.error


def test_waits_grow_over_a_day_and_then_it_is_given_up(receive, add_webhook, end_attempt):
    receiver = receive(answering(500))
    add_webhook(receiver.url())
    end_attempt()
    make_notices()

    waits = []
    while done := try_due():
        if done[0].next_try_at:
            waits.append(done[0].next_try_at - timezone.now())
        make_due()

    assert len(waits) == len(deliveries.WAITS)
    assert waits[:-1] == sorted(waits[:-1])  # the last two are both 10 h, give or take the jitter
    assert sum(waits, timedelta()) > timedelta(hours=24)
    assert Delivery.objects.get().status is DeliveryState.GIVEN_UP
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    assert len(receiver.requests) == len(deliveries.WAITS) + 1


def test_receiver_that_is_gone_is_turned_off(receive, add_webhook, end_attempt):
    receiver = receive(answering(410))
    add_webhook(receiver.url())
    end_attempt()
    end_attempt(address="10.0.0.6:9443")
    make_notices()

    try_due()

    webhook = Webhook.objects.get()
    assert not webhook.is_enabled
    assert "410" in webhook.stopped_because
    assert {each.state for each in Delivery.objects.all()} == {DeliveryState.GIVEN_UP}
    assert len(receiver.requests) == 1


@contextmanager
def another_worker(act, *, before_update):
    """Let another worker act just before an UPDATE of this one: the first claims, the second writes the result."""
    updates = []

    def note(execute, statement, *rest):
        if statement.startswith("UPDATE"):
            updates.append(statement)
            if len(updates) == before_update:
                act()
        return execute(statement, *rest)

    with connection.execute_wrapper(note):
        yield
    assert len(updates) >= before_update


@pytest.fixture
def refused(receive, add_webhook, end_attempt):
    """A due delivery, and its receiver, which refuses it."""
    receiver = receive(answering(500))
    add_webhook(receiver.url())
    end_attempt()
    make_notices()
    [due] = schedule.due_deliveries(timezone.now())
    return due, receiver


def test_message_that_another_worker_has_just_tried_is_not_sent(refused):
    due, receiver = refused

    with another_worker(lambda: deliveries.deliver(due), before_update=1):
        assert deliveries.deliver(due) is None

    assert len(receiver.requests) == 1


def test_message_that_another_worker_is_sending_is_not_sent(refused):
    due, receiver = refused

    with another_worker(lambda: deliveries.deliver(due), before_update=2):
        deliveries.deliver(due)

    assert len(receiver.requests) == 1


def test_late_result_of_a_replaced_worker_is_not_written(refused):
    due, receiver = refused

    def replace():
        make_due()
        receiver.stop()
        receiver.restart(accepting)
        deliveries.deliver(due)

    with another_worker(replace, before_update=2):
        deliveries.deliver(due)

    assert len(receiver.requests) == 2
    assert Delivery.objects.get().status is DeliveryState.DELIVERED


def test_message_given_up_while_it_is_sent_is_not_tried_again(refused):
    due, _ = refused
    webhook = Webhook.objects.get()

    with another_worker(lambda: deliveries.give_up(webhook, "It was turned off"), before_update=2):
        deliveries.deliver(due)

    assert Delivery.objects.get().status is DeliveryState.GIVEN_UP


def test_webhook_gets_one_message_at_a_time(add_webhook, end_attempt):
    add_webhook("https://127.0.0.1:1/")
    end_attempt()
    end_attempt(address="10.0.0.6:9443")
    make_notices()

    assert len(list(schedule.due_deliveries(timezone.now()))) == 1
    assert list(schedule.due_deliveries(timezone.now())) == []


def test_delivery_marked_as_enqueued_is_not_given_twice(receive, add_webhook, end_attempt):
    add_webhook(receive().url())
    end_attempt()
    make_notices()
    now = timezone.now()

    assert len(list(schedule.due_deliveries(now))) == 1
    assert list(schedule.due_deliveries(now)) == []
    assert len(list(schedule.due_deliveries(now + schedule.ENQUEUE_AGAIN))) == 1


def test_receivers_that_hang_leave_the_worker_to_attempts(add_webhook, end_attempt):
    """At most one delivery of each webhook runs, and at most MAX_RUNNING in all."""
    for number in range(schedule.MAX_RUNNING + 3):
        add_webhook("https://127.0.0.1:1/", f"Webhook {number}")
    end_attempt()
    end_attempt(address="10.0.0.6:9443")
    make_notices()

    due = list(schedule.due_deliveries(timezone.now()))

    assert len(due) == schedule.MAX_RUNNING
    assert len({each.webhook for each in Delivery.objects.filter(pk__in=due)}) == schedule.MAX_RUNNING
    assert list(schedule.due_deliveries(timezone.now())) == []


def test_webhook_that_is_off_is_not_sent_anything(receive, add_webhook, end_attempt):
    receiver = receive()
    webhook = add_webhook(receiver.url())
    end_attempt()
    make_notices()
    now = timezone.now()
    [due] = schedule.due_deliveries(now)
    Webhook.objects.filter(pk=webhook.pk).update(is_enabled=False)

    assert deliveries.deliver(due) is None
    assert list(schedule.due_deliveries(now + schedule.ENQUEUE_AGAIN)) == []
    assert receiver.requests == []


def test_test_message_is_tried_once(receive, add_webhook):
    receiver = receive(answering(500))
    delivery = deliveries.deliver(outbox.make_test(add_webhook(receiver.url())).pk)

    assert delivery.status is DeliveryState.GIVEN_UP
    assert verified(receiver.requests[0], KEY)["type"] == "test"


def test_message_sent_again_keeps_its_id(receive, add_webhook, end_attempt):
    receiver = receive()
    add_webhook(receiver.url())
    end_attempt()
    make_notices()
    [delivery] = try_due()

    assert deliveries.send_again(delivery.pk)
    assert not deliveries.send_again(delivery.pk)
    try_due()

    assert [request.headers["webhook-id"] for request in receiver.requests] == [delivery.message_id] * 2


def test_log_and_rows_name_no_secret(receive, add_webhook, end_attempt, caplog):
    receiver = receive(answering(500, f"{SLACK_PATH} {KEY}".encode()))
    add_webhook(receiver.url())
    end_attempt()
    make_notices()

    with caplog.at_level(logging.DEBUG):
        try_due()

    row = Delivery.objects.values().get() | Webhook.objects.values().get()
    for text in (*(str(record.__dict__) for record in caplog.records), str(row)):
        assert "tOp-SeCrEt" not in text
        assert KEY not in text


def test_bug_while_sending_counts_as_a_failed_try(add_webhook, end_attempt, monkeypatch):
    def fail(*_):
        raise RuntimeError(f"a bug with {SLACK_PATH}")

    monkeypatch.setattr(deliveries, "write_body", fail)
    add_webhook("https://127.0.0.1:1/")
    end_attempt()
    make_notices()

    with pytest.raises(RuntimeError):
        try_due()

    delivery = Delivery.objects.get()
    assert delivery.error == "An error of this program (RuntimeError)."
    assert delivery.next_try_at > timezone.now()
    assert delivery.busy_until is None
