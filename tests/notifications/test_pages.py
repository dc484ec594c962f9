"""The pages of webhooks: what is secret is shown once or never."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.roles import Role, assign
from setup_wizard.notifications import secrets
from setup_wizard.notifications.models import Delivery, DeliveryState, Format, Webhook
from tests.notifications.conftest import KEY, make_due, make_notices, try_due
from tests.notifications.receivers import SLACK_PATH, answering, verified

pytestmark = pytest.mark.django_db

WEBHOOKS = "/notifications/webhooks/"
ALL = {"on_ended": "on", "on_needs_operator": "on", "on_run_ended": "on", "is_enabled": "on"}


@pytest.fixture
def pages():
    browser = Client()
    browser.force_login(assign(User.objects.create_user("ada"), Role.ADMINISTRATOR))
    return browser


def add(pages, url, **fields):
    return pages.post(f"{WEBHOOKS}new/", {"name": "Operations", "format": "json", "url": url} | ALL | fields)


def path_of(webhook):
    return f"{WEBHOOKS}{webhook.pk}/"


def test_added_webhook_shows_its_key_once_and_its_url_never(pages, receive):
    receiver = receive()

    page = add(pages, receiver.url()).text

    webhook = Webhook.objects.get()
    key = secrets.open_for(webhook).key.reveal()
    assert key in page
    for text in (page, pages.get(path_of(webhook)).text, pages.get(f"{path_of(webhook)}change/").text):
        assert "tOp-SeCrEt" not in text
        assert f"127.0.0.1:{receiver.port}" in text
    assert key not in pages.get(path_of(webhook)).text
    assert [event.label for event in AuditEvent.objects.all()] == ["Added a webhook", "Signed in"]


def test_new_webhook_has_messages_chosen(pages):
    page = pages.get(f"{WEBHOOKS}new/").text

    chosen = re.findall(r'<input type="checkbox" name="(on_\w+)"[^>]* checked', page)
    assert chosen == ["on_ended", "on_needs_operator", "on_run_ended"]


def test_added_webhook_gets_what_happens_from_then_on(pages, receive, end_attempt):
    receiver = receive()
    key = re.search(r"whsec_[\w+/=]+", add(pages, receiver.url()).text)[0]
    end_attempt()
    make_notices()
    try_due()

    [request] = receiver.requests
    assert verified(request, key)["type"] == "attempt.ended"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://127.0.0.1/x"}, "https://"),
        ({"url": ""}, "Enter the URL"),
        ({"url": "https://192.0.2.1/x"}, "SETUP_WIZARD_WEBHOOK_NETWORKS"),
        ({"url": "https://no-such-host.invalid/x"}, "could not be resolved"),
        ({"name": ""}, "Enter a name"),
        ({"format": "fax"}, "not one of the available choices"),
        ({"on_ended": "", "on_needs_operator": "", "on_run_ended": ""}, "Choose at least one"),
    ],
)
def test_bad_input_gets_a_message(pages, fields, words):
    page = add(pages, fields.pop("url", "https://127.0.0.1:1/x"), **fields)

    assert page.status_code == 422
    assert words in page.text
    assert not Webhook.objects.exists()


def test_name_is_taken_once(pages, add_webhook):
    add_webhook("https://127.0.0.1:1/", "Operations")

    assert "Another webhook has this name" in add(pages, "https://127.0.0.1:1/x").text


def test_test_message_is_signed_and_its_answer_shown(pages, receive, add_webhook):
    receiver = receive(answering(418, b"short and stout"))
    webhook = add_webhook(receiver.url())

    page = pages.post(f"{path_of(webhook)}test/", follow=True).text

    assert verified(receiver.requests[0], KEY)["type"] == "test"
    assert "The receiver answered 418." in page
    assert "short and stout" in page


def test_test_message_is_sent_even_if_the_webhook_is_off(pages, receive, add_webhook):
    receiver = receive()
    webhook = add_webhook(receiver.url(), is_enabled=False)

    assert "took the test message (200)" in pages.post(f"{path_of(webhook)}test/", follow=True).text


def test_page_says_that_webhooks_are_off(pages, add_webhook, settings):
    webhook = add_webhook("https://127.0.0.1:1/")
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = []

    for address in (WEBHOOKS, f"{WEBHOOKS}new/", path_of(webhook)):
        assert "Webhooks are off" in pages.get(address).text


def test_change_without_a_url_keeps_url_and_key(pages, receive, add_webhook):
    receiver = receive()
    webhook = add_webhook(receiver.url())

    pages.post(f"{path_of(webhook)}change/", {"name": "Chat", "format": "slack", "url": "", **ALL})
    pages.post(f"{path_of(webhook)}test/")

    webhook.refresh_from_db()
    assert (webhook.name, webhook.format) == ("Chat", Format.SLACK)
    assert "text" in verified(receiver.requests[0], KEY)


def test_change_of_the_url_keeps_the_key(pages, receive, add_webhook):
    webhook = add_webhook("https://127.0.0.1:1/")
    receiver = receive()

    pages.post(f"{path_of(webhook)}change/", {"name": "Chat", "format": "json", "url": receiver.url(), **ALL})
    pages.post(f"{path_of(webhook)}test/")

    verified(receiver.requests[0], KEY)
    webhook.refresh_from_db()
    assert webhook.host == f"127.0.0.1:{receiver.port}"


def test_new_key_is_shown_once_and_used(pages, receive, add_webhook):
    receiver = receive()
    webhook = add_webhook(receiver.url())

    key = re.search(r"whsec_[\w+/=]+", pages.post(f"{path_of(webhook)}key/").text)[0]
    pages.post(f"{path_of(webhook)}test/")

    assert key != KEY
    verified(receiver.requests[0], key)


def test_turning_off_gives_up_what_waits_and_turning_on_tells_only_the_new(pages, receive, add_webhook, end_attempt):
    receiver = receive(answering(500))
    webhook = add_webhook(receiver.url())
    end_attempt()
    make_notices()
    try_due()

    fields = {"name": "Chat", "format": "json", "url": ""} | ALL
    pages.post(f"{path_of(webhook)}change/", fields | {"is_enabled": ""})
    assert Delivery.objects.get().status is DeliveryState.GIVEN_UP
    end_attempt(address="10.0.0.6:9443")
    pages.post(f"{path_of(webhook)}change/", fields)
    end_attempt(address="10.0.0.7:9443")
    make_notices()

    titles = [str(each.notice) for each in Delivery.objects.filter(state=DeliveryState.WAITING)]
    assert titles == ["Setup of 10.0.0.7:9443 failed"]


def test_message_can_be_sent_again_from_the_log(pages, receive, add_webhook, end_attempt):
    receiver = receive()
    webhook = add_webhook(receiver.url())
    end_attempt()
    make_notices()
    [delivery] = try_due()

    assert "Send again" in pages.get(path_of(webhook)).text
    pages.post(f"/notifications/deliveries/{delivery.pk}/again/")
    make_due()
    try_due()

    assert [request.headers["webhook-id"] for request in receiver.requests] == [delivery.message_id] * 2


def test_deleted_webhook_takes_its_log_with_it(pages, add_webhook, end_attempt):
    webhook = add_webhook("https://127.0.0.1:1/")
    end_attempt()
    make_notices()

    pages.post(f"{path_of(webhook)}delete/")

    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
    assert AuditEvent.objects.first().label == "Deleted a webhook"


def test_each_change_is_written_to_the_audit_log(pages, receive, add_webhook, end_attempt):
    webhook = add_webhook(receive().url())
    end_attempt()
    make_notices()
    [delivery] = try_due()

    pages.post(f"{path_of(webhook)}change/", {"name": "Chat", "format": "json", "url": ""} | ALL)
    pages.post(f"{path_of(webhook)}key/")
    pages.post(f"{path_of(webhook)}test/")
    pages.post(f"/notifications/deliveries/{delivery.pk}/again/")

    written = AuditEvent.objects.filter(action__startswith="webhook-").order_by("pk")
    assert list(written.values_list("action", flat=True)) == [
        "webhook-change",
        "webhook-key",
        "webhook-test",
        "webhook-send-again",
    ]


def test_no_page_has_the_secrets_after_a_hostile_answer(pages, receive, add_webhook):
    webhook = add_webhook(receive(answering(400, f"{SLACK_PATH} {KEY} <script>".encode())).url())

    page = pages.post(f"{path_of(webhook)}test/", follow=True).text

    assert "tOp-SeCrEt" not in page
    assert KEY not in page
    assert "<script>" not in page.partition("<main")[2]
