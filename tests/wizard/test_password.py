"""The password is stored only sealed in the vault, for 15 minutes."""

import base64
import json
import logging
import re
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.signals import got_request_exception
from django.utils import timezone
from django.views.debug import ExceptionReporter

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt, SealedCredentials

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

FORMS = [PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), PASSWORD.encode("utf-16-le").decode("latin-1")]


def everything_stored() -> str:
    tables = [model for model in apps.get_models() if model._meta.managed]
    rows = serializers.serialize("json", [row for model in tables for row in model._default_manager.all()])
    return rows + json.dumps([session.get_decoded() for session in Session.objects.all()])


@contextmanager
def listening(signal, receiver):
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


def expire(draft) -> None:
    SealedCredentials.objects.filter(owner=draft.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_the_password_is_in_no_row_no_session_no_page_and_no_log(maria, fresh_node, caplog):
    caplog.set_level(logging.DEBUG)
    maria.to_cluster(fresh_node)

    answers = {"name": "redis", "password": PASSWORD}, {"name": "redis-prod.example.com"}
    pages = [maria.fill(username="admin@example.com", **values).content.decode() for values in answers]
    pages += [maria.open(f"/setup/{maria.draft.pk}/{step}/").content.decode() for step in ("cluster", "review")]
    pages.append(maria.start().content.decode())

    assert Attempt.objects.exists()
    stored = everything_stored()
    for form in FORMS:
        assert form not in stored
        assert form not in caplog.text
        assert not any(form in page for page in pages)


def test_the_sealed_password_goes_to_the_attempt_at_start(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft

    maria.start()

    attempt = Attempt.objects.get()
    assert vault.expires_at(draft.pk) is None
    assert vault.open_for(attempt.pk).password.reveal() == PASSWORD
    assert vault.open_for(attempt.pk).username == "admin@example.com"


def test_the_password_is_stored_for_15_minutes(maria, fresh_node):
    maria.to_review(fresh_node)

    left = vault.expires_at(maria.draft.pk) - timezone.now()

    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


def test_an_expired_password_is_requested_again(maria, fresh_node):
    maria.to_review(fresh_node)
    expire(maria.draft)

    maria.open(f"/setup/{maria.draft.pk}/review/")

    assert maria.url.endswith("/cluster/")
    assert "The password was deleted after 15 minutes. Enter it again; everything else is saved." in maria.text
    assert maria.fields["name"] == "redis-prod.example.com"


def test_start_with_an_expired_password_starts_nothing(maria, fresh_node):
    maria.to_review(fresh_node)
    expire(maria.draft)

    maria.post(f"/setup/{maria.draft.pk}/review/")

    assert maria.url.endswith("/cluster/")
    assert not Attempt.objects.exists()


def test_an_empty_field_keeps_the_password_and_its_expiry(maria, fresh_node):
    maria.to_review(fresh_node)
    until = vault.expires_at(maria.draft.pk)
    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    assert re.search(r"Stored, entered (now|\w+ seconds? ago)\. Leave empty to use it\.", maria.text)

    maria.fill(username="root@example.com", password="")

    assert maria.url.endswith("/review/")
    kept = vault.open_for(maria.draft.pk)
    assert kept.username == "root@example.com"
    assert kept.password.reveal() == PASSWORD
    assert vault.expires_at(maria.draft.pk) == until


def test_a_new_password_replaces_the_stored_one(maria, fresh_node):
    maria.to_review(fresh_node)
    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    maria.fill(password=" Another-one-8 ")

    assert vault.open_for(maria.draft.pk).password.reveal() == " Another-one-8 "


def test_the_step_is_incomplete_without_a_password(maria, fresh_node):
    maria.to_cluster(fresh_node)

    maria.fill(name="redis-prod.example.com", username="admin@example.com", password="")

    assert maria.page.status_code == 422
    assert "Enter the administrator's password." in maria.text


def test_an_error_report_hides_the_password(maria, fresh_node, settings):
    maria.to_cluster(fresh_node)
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = []
    answers = {"name": "redis-prod.example.com", "username": "admin@example.com"}
    answers |= {"password": PASSWORD, "password_again": PASSWORD}
    reports = []

    def report(request, **_):
        reports.append(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())

    with pytest.raises(vault.KeyUnusable), listening(got_request_exception, report):
        maria.client.post(maria.url, maria.fields | answers)

    assert "store_password" in reports[0]
    assert PASSWORD not in reports[0]


def test_another_persons_draft_is_a_404(maria, ben, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft.pk

    for step in ("action", "node", "cluster", "review"):
        assert ben.open(f"/setup/{draft}/{step}/").status_code == 404
        assert ben.post(f"/setup/{draft}/{step}/").status_code == 404
    assert ben.post(f"/setup/{draft}/discard/").status_code == 404
    assert ben.post(f"/setup/{draft}/action/probe/", address=fresh_node.address).status_code == 404
    assert ben.post(f"/setup/{draft}/cluster/check/name/", name="x").status_code == 404
    assert vault.expires_at(draft)
