"""The values of forms with a password are in no table, session, log or e-mail."""

import base64
import getpass
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from setup_wizard.access import first_admin
from setup_wizard.access.roles import Role, assign
from tests.access.conftest import form

pytestmark = pytest.mark.django_db
CANARY = "CANARY <typed> & kept/9"
OTHER = "CANARY <other> & kept/8"


def spellings(text):
    """The encodings in which a secret may appear."""
    raw = text.encode()
    return {text, quote(text), quote_plus(text), json.dumps(text)[1:-1], raw.hex(), base64.b64encode(raw)[:-4].decode()}


def found_in(text):
    return [spelling for secret in (CANARY, OTHER) for spelling in spellings(secret) if spelling in text]


def tables_with_a_secret():
    """Read every row of every table, with sessions also decoded."""
    texts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            texts[table] = "\n".join(str(value) for row in cursor.fetchall() for value in row)
    texts["sessions, decoded"] = repr([session.get_decoded() for session in Session.objects.all()])
    return {table: found for table, text in texts.items() if (found := found_in(text))}


def change(old, new, again):
    return {"old_password": old, "new_password1": new, "new_password2": again}


def set_password(new, again):
    return {"username": "nils", "password1": new, "password2": again, "usable_password": "true"}


@pytest.fixture
def everything_typed(client, password, caplog, monkeypatch):
    """Submit every account form with a secret, valid and invalid; logs are kept at DEBUG."""
    caplog.set_level(logging.DEBUG)
    token = first_admin.create_token()
    first = "/first-administrator/"
    for fields in (
        form(CANARY),
        form(token, CANARY, "short"),
        form(token, "ada", "a" * 12),
        form(token, "ada", CANARY),
    ):
        client.post(first, fields)
    ada = User.objects.get(username="ada")
    assert ada.check_password(CANARY)
    for name, secret in [("ada", OTHER), (CANARY, OTHER), (OTHER * 20, CANARY), ("ada\0", CANARY), ("ada", CANARY)]:
        answer = Client().post("/sign-in/", {"username": name, "password": secret})
    assert answer.status_code == 302
    for fields in (change(OTHER, CANARY, CANARY), change(CANARY, OTHER, CANARY), change(CANARY, OTHER, OTHER)):
        answer = client.post("/password/", fields)
    assert answer.status_code == 302
    for fields in (set_password(CANARY, OTHER), set_password(CANARY, CANARY)):
        answer = client.post("/admin/auth/user/add/", fields)
    nils = assign(User.objects.get(username="nils"), Role.OPERATOR)
    for fields in (set_password(CANARY, OTHER), set_password("short", "short"), set_password(OTHER, OTHER)):
        answer = client.post(f"/admin/auth/user/{nils.pk}/password/", fields)
    assert User.objects.get(username="nils").check_password(OTHER)
    typed = iter([CANARY, OTHER] * 3)
    monkeypatch.setattr(getpass, "getpass", lambda *_: next(typed))
    with pytest.raises(CommandError):
        call_command("changepassword", "nils")
    for _ in range(6):  # beyond the limit
        Client().post("/sign-in/", {"username": "ada", "password": CANARY})
    return caplog


def test_no_table_session_log_or_mail_holds_what_was_typed(everything_typed):
    assert tables_with_a_secret() == {}
    assert found_in(everything_typed.text) == []
    assert found_in(repr([vars(message) for message in mail.outbox])) == []


@pytest.mark.parametrize("spelled", sorted(spellings(CANARY)))
def test_a_planted_leak_is_found_in_any_spelling(maria, spelled):
    User.objects.update(last_name=f"…{spelled}…")

    assert spelled in tables_with_a_secret()["auth_user"]


def test_a_planted_leak_is_found_in_a_new_table_and_in_a_session(browser_of_maria):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE added_later (anything text)")
        cursor.execute("INSERT INTO added_later VALUES (%s)", [CANARY])
    session = browser_of_maria.session
    session["typed"] = OTHER
    session.save()

    leaks = tables_with_a_secret()

    assert {"added_later", "sessions, decoded"} <= leaks.keys()
