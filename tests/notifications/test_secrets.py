"""URL and key are encrypted with the keys of the vault, which can be rotated."""

import base64

import pytest
from django.core.management import call_command

from setup_wizard.attempts import vault
from setup_wizard.notifications import secrets
from setup_wizard.notifications.models import Delivery, DeliveryState, Webhook
from tests.notifications.conftest import KEY, make_notices, try_due
from tests.notifications.receivers import SLACK_PATH, verified

pytestmark = pytest.mark.django_db

NEW = base64.b64encode(b"n" * 32).decode()


def test_row_holds_neither_url_nor_key(add_webhook):
    add_webhook(f"https://hooks.example.com{SLACK_PATH}")

    row = str(Webhook.objects.values().get())
    assert "tOp-SeCrEt" not in row
    assert KEY not in row


def test_sealed_text_of_another_webhook_cannot_be_used(add_webhook):
    first, second = add_webhook("https://one.example.com/", "One"), add_webhook("https://two.example.com/", "Two")
    second.sealed = first.sealed

    with pytest.raises(vault.SecretUnavailable):
        secrets.open_for(second)


def test_rotation_of_the_keys_covers_webhooks(receive, add_webhook, end_attempt, settings):
    receiver = receive()
    add_webhook(receiver.url())
    off = add_webhook(receiver.url("/off"), "Turned off", is_enabled=False)
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW, *settings.SETUP_WIZARD_CREDENTIAL_KEYS]

    call_command("rotate_credentials")
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]
    end_attempt()
    make_notices()
    try_due()

    [request] = receiver.requests
    assert request.path == SLACK_PATH
    assert verified(request, KEY)["type"] == "attempt.ended"
    off.refresh_from_db()
    assert secrets.open_for(off).url.reveal() == receiver.url("/off")


def test_lost_key_is_told_in_words_and_tried_again(receive, add_webhook, end_attempt, settings):
    receiver = receive()
    add_webhook(receiver.url())
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]
    end_attempt()
    make_notices()
    try_due()

    delivery = Delivery.objects.get()
    assert delivery.status is DeliveryState.WAITING
    assert "No configured key decrypts" in delivery.error
    assert receiver.requests == []
