"""Nothing happens without its entry in the audit log."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from setup_wizard.access import first_admin, tokens
from setup_wizard.access.models import ApiToken, SetupToken
from setup_wizard.attempts import engine
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.history import reviews
from setup_wizard.history.models import ReviewMark, ReviewNote
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe
from setup_wizard.project.demo.models import SignInLink
from setup_wizard.project.demo.sign_in_links import create_link
from tests.attempts.attempt_rows import add_attempt

from .accounts import change_groups, first_administrator, set_password
from .entries import SIGN_IN, full_trail


def test_start_fails_without_its_audit_entry(start, fresh_node, maria):
    seen = probe(Address.parse(fresh_node.address))
    with full_trail():
        trust.approve(seen.endpoint, seen.certificate, by=maria)
    assert not TrustedCertificate.objects.exists()

    trust.approve(seen.endpoint, seen.certificate, by=maria)
    with full_trail():
        start(fresh_node)
    assert not Attempt.objects.exists()
    assert not Event.objects.exists()


def test_sign_in_fails_without_its_audit_entry(ada):
    browser = Client()
    with full_trail():
        browser.post("/sign-in/", {"username": "ada", "password": SIGN_IN})

    ada.refresh_from_db()
    assert "_auth_user_id" not in browser.session
    assert ada.last_login is None


def test_password_change_fails_without_its_audit_entry(desk, ada):
    new = "eleven calm herons"
    with full_trail():
        desk.post("/password/", {"old_password": SIGN_IN, "new_password1": new, "new_password2": new})

    ada.refresh_from_db()
    assert ada.check_password(SIGN_IN)


def test_sign_in_link_stays_valid_without_its_audit_entry(db):
    link = create_link()
    with full_trail():
        Client().get(link)

    assert SignInLink.objects.get().used_at is None


@pytest.mark.parametrize("choose", [Choice.KEEP_WATCHING, Choice.STOP_WATCHING])
def test_choice_fails_without_its_audit_entry(waiting, maria, choose):
    before = Attempt.objects.filter(pk=waiting.pk).values().get()
    with full_trail():
        engine.choose(waiting.pk, choose, by=maria)

    assert Attempt.objects.filter(pk=waiting.pk).values().get() == before
    assert waiting.events.count() == 1


def test_token_changes_fail_without_their_audit_entry(maria):
    with full_trail():
        tokens.issue(maria)
    assert not ApiToken.objects.exists()

    token = tokens.issue(maria)
    with full_trail():
        tokens.revoke(maria, token)
    assert tokens.find_user(token) == maria


def test_first_administrator_fails_without_its_audit_entry(db):
    token = first_admin.create_token()
    with full_trail():
        Client().post("/first-administrator/", first_administrator(token))

    assert not User.objects.exists()
    assert SetupToken.objects.get().used_at is None


def test_review_fails_without_its_audit_entry(maria, ada):
    attempt = add_attempt(maria)
    with full_trail():
        reviews.write(Attempt.objects.filter(pk=attempt.pk), by=ada, note="seen", mark=True)

    assert not ReviewNote.objects.exists()
    assert not ReviewMark.objects.exists()


def test_export_fails_without_its_audit_entry(desk, maria):
    attempt = add_attempt(maria)
    with full_trail(), transaction.atomic():
        desk.post("/admin/attempts/attempt/", {"action": "export_csv", "_selected_action": [str(attempt.pk)]})


def test_account_change_fails_without_its_audit_entry(desk, maria):
    with full_trail():
        change_groups(desk, maria, [])
    assert maria.groups.exists()

    with full_trail():
        desk.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [maria.pk], "post": "yes"})
    assert User.objects.filter(pk=maria.pk).exists()

    with full_trail():
        set_password(desk, maria)
    maria.refresh_from_db()
    assert not maria.check_password("nine quiet otters")
