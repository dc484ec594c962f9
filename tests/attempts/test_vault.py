"""Credentials are stored encrypted, bound to their owner, and deleted when they expire."""

import base64
import traceback
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import SealedCredentials
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret

PASSWORD = "CANARY-Jupiter+7/ü"

pytestmark = pytest.mark.django_db


def seal(owner, password=PASSWORD, minutes=15):
    expires_at = timezone.now() + timedelta(minutes=minutes)
    vault.seal(owner, Credentials(username="admin@example.com", password=Secret(password)), expires_at=expires_at)
    return SealedCredentials.objects.get(owner=owner)


def test_vault_decrypts_for_the_owner():
    draft = uuid4()

    seal(draft)

    opened = vault.open_for(draft)
    assert (opened.username, opened.password.reveal()) == ("admin@example.com", PASSWORD)


def test_vault_refuses_stored_credentials_that_break_a_rule():
    owner = uuid4()
    older = Credentials.model_construct(username="admin@example.com", password=Secret("CANARY\0"))
    vault.seal(owner, older, expires_at=timezone.now() + timedelta(minutes=15))

    with pytest.raises(vault.SecretUnavailable) as refused:
        vault.open_for(owner)

    assert "CANARY" not in "".join(traceback.format_exception(refused.value))


def test_row_contains_no_user_name_or_password():
    row = seal(uuid4())

    raw = base64.b64decode(row.sealed.split(":")[2])
    assert row.sealed.startswith("v1:")
    for text in (PASSWORD, "admin@example.com"):
        assert text.encode() not in raw
        assert text not in row.sealed


def test_same_credentials_encrypt_differently_each_time():
    assert seal(uuid4()).sealed != seal(uuid4()).sealed


def test_expired_credentials_cannot_be_extended():
    draft = uuid4()
    seal(draft, minutes=-1)

    vault.keep_until(draft, timezone.now() + timedelta(days=1))

    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(draft)


def test_text_copied_to_another_owner_does_not_decrypt():
    mine, other = uuid4(), uuid4()
    stolen = seal(mine)
    seal(other, "another password")

    SealedCredentials.objects.filter(owner=other).update(sealed=stolen.sealed)

    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(other)


@pytest.mark.parametrize("position", [0, 11, 12, -1])
def test_changed_text_does_not_decrypt(position):
    draft = uuid4()
    row = seal(draft)
    head, key_id, text = row.sealed.split(":")
    blob = bytearray(base64.b64decode(text))

    blob[position] ^= 1
    SealedCredentials.objects.update(sealed=f"{head}:{key_id}:{base64.b64encode(blob).decode()}")

    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(draft)


def test_older_key_decrypts_and_the_first_encrypts(settings):
    draft, key = uuid4(), base64.b64encode(b"n" * 32).decode()
    before = seal(draft)

    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [key, *settings.SETUP_WIZARD_CREDENTIAL_KEYS]

    assert vault.open_for(draft).password == Secret(PASSWORD)
    assert seal(uuid4()).sealed.split(":")[1] != before.sealed.split(":")[1]


def test_credentials_are_unavailable_without_their_key(settings):
    draft = uuid4()
    seal(draft)

    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(b"n" * 32).decode()]

    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(draft)


def test_expired_credentials_are_unavailable_and_purged():
    draft = uuid4()
    seal(draft, minutes=-1)

    assert vault.expires_at(draft) is None
    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(draft)
    assert vault.purge(timezone.now()) == 1
    assert not SealedCredentials.objects.exists()


def test_handing_over_deletes_the_credentials_of_the_draft():
    draft, attempt = uuid4(), uuid4()
    seal(draft)

    vault.move(draft, attempt, expires_at=timezone.now() + timedelta(days=1))

    assert vault.expires_at(draft) is None
    assert vault.open_for(attempt).password == Secret(PASSWORD)


@pytest.mark.parametrize("keys", [[], ["c2hvcnQ="], ["not base64!"], [base64.b64encode(b"x" * 33).decode()]])
def test_bad_key_is_named_by_position_and_not_shown(settings, keys):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = keys

    with pytest.raises(vault.KeyUnusable) as refusal:
        vault.keys()
    assert not keys or keys[0] not in str(refusal.value)
