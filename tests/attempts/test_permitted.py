"""Every choice with every role, on the page and in the API: permission, confirmation, audit entry."""

import json
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from setup_wizard.access import tokens
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.permissions import Permission
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import choices
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from tests.attempts.attempt_rows import add_attempt

FINGERPRINT = ":".join(["CD"] * 32)
PASSWORD = "Correct-horse-7-battery"
STRANGER, NOBODY = "a stranger", "nobody's member"
PEOPLE = [STRANGER, NOBODY, *Role]
# where an attempt stands that offers the choice
OFFERING = {
    Choice.CANCEL: {"state": State.QUEUED, "submits": 0},
    Choice.STOP_WATCHING: {"state": State.IN_PROGRESS},
    Choice.KEEP_WATCHING: {"reason": Reason.LOST_CONTACT},
    Choice.OURS: {"reason": Reason.FOREIGN_IN_PROGRESS},
    Choice.NOT_OURS: {"reason": Reason.FOREIGN_IN_PROGRESS},
    Choice.SEND_AGAIN: {"reason": Reason.NOT_ACCEPTED},
    Choice.APPROVE_CERTIFICATE: {"reason": Reason.TRUST},
    Choice.CREDENTIALS: {"reason": Reason.CREDENTIALS_REFUSED},
}
BODIES = {
    Choice.APPROVE_CERTIFICATE: {"fingerprint": FINGERPRINT},
    Choice.CREDENTIALS: {"username": "admin@example.com", "password": PASSWORD},
}
# those that cannot be taken back
WANTS_A_TICK = {
    Choice.STOP_WATCHING,
    Choice.OURS,
    Choice.NOT_OURS,
    Choice.SEND_AGAIN,
    Choice.APPROVE_CERTIFICATE,
}


def offer(choice, maria):
    fields = {"state": State.NEEDS_OPERATOR, "resume_state": "in_progress", "waiting_since": timezone.now()}
    fields |= {"seen_certificate": {"fingerprint": FINGERPRINT, "subject": "CN=10.0.0.5", "sans": []}}
    fields |= OFFERING[choice]
    submits = fields.pop("submits", 1)
    attempt = add_attempt(maria, **fields)
    Attempt.objects.filter(pk=attempt.pk).update(submits=submits)
    attempt.refresh_from_db()
    return attempt


def person(who):
    if who == STRANGER:
        return None
    user = User.objects.create_user("somebody")
    return assign(user, who) if isinstance(who, Role) else user


def by_page(user, attempt, choice, **more):
    browser = Client()
    if user:
        browser.force_login(user)
    sent = {"seq": attempt.offered_seq} | BODIES.get(choice, {}) | more
    return browser.post(f"/attempts/{attempt.pk}/{choice.value}/", sent)


def by_call(user, attempt, choice):
    headers = {"Authorization": f"Bearer {tokens.issue(user)}"} if user else {}
    address = f"/api/v1/attempts/{attempt.pk}/{choice.value}"
    sent = BODIES.get(choice, {}) | ({"seq": attempt.offered_seq} if choice in WANTS_A_TICK else {})
    return Client(headers=headers).post(address, json.dumps(sent), content_type="application/json")


def row(attempt):
    return Attempt.objects.filter(pk=attempt.pk).values().get()


@pytest.mark.parametrize("choice", Choice)
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("way", ["page", "call"])
def test_choice_needs_permission_and_is_audited(maria, who, choice, way):
    attempt = offer(choice, maria)
    before = row(attempt)
    user = person(who)

    answer = by_page(user, attempt, choice, confirmed="yes") if way == "page" else by_call(user, attempt, choice)

    may = isinstance(who, Role) and Permission.OPERATE in who.permissions
    entries = list(AuditEvent.objects.filter(action=choice.value))
    if may:
        assert answer.status_code == (302 if way == "page" else 200)
        assert row(attempt) != before
        assert [(entry.user_name, entry.target_id) for entry in entries] == [("somebody", str(attempt.pk))]
        assert attempt.events.last().by == user
        assert PASSWORD not in "".join(str(vars(entry)) for entry in entries)
    else:
        assert answer.status_code == (401 if who == STRANGER else 403)
        assert row(attempt) == before
        assert entries == []


@pytest.mark.parametrize("choice", Choice)
def test_final_choice_needs_its_checkbox(maria, choice):
    attempt = offer(choice, maria)
    before = row(attempt)

    by_page(maria, attempt, choice)

    assert (row(attempt) == before) == (choice in WANTS_A_TICK)
    assert AuditEvent.objects.filter(action=choice.value).exists() == (choice not in WANTS_A_TICK)


@pytest.mark.parametrize("choice", Choice)
def test_choice_that_is_not_offered_is_neither_made_nor_audited(maria, choice):
    attempt = add_attempt(maria)  # it has succeeded
    before = row(attempt)

    assert by_call(maria, attempt, choice).status_code == 409
    by_page(maria, attempt, choice, confirmed="yes")

    assert row(attempt) == before
    assert not AuditEvent.objects.filter(action=choice.value).exists()


def test_choice_can_need_its_own_permission(maria, monkeypatch):
    rule = replace(choices._DEFINITIONS[Choice.KEEP_WATCHING], permission=Permission.ADMINISTER)
    monkeypatch.setitem(choices._DEFINITIONS, Choice.KEEP_WATCHING, rule)
    attempt = offer(Choice.KEEP_WATCHING, maria)
    browser = Client()
    browser.force_login(maria)
    program = Client(headers={"Authorization": f"Bearer {tokens.issue(maria)}"})

    page = browser.get(f"/attempts/{attempt.pk}/").text
    pressed = browser.post(f"/attempts/{attempt.pk}/keep-watching/")
    called = program.post(f"/api/v1/attempts/{attempt.pk}/keep-watching")

    assert f'action="/attempts/{attempt.pk}/keep-watching/"' not in page
    assert f'action="/attempts/{attempt.pk}/stop-watching/"' in page
    assert (pressed.status_code, called.status_code) == (403, 403)
    attempt.refresh_from_db()
    assert attempt.status is State.NEEDS_OPERATOR
