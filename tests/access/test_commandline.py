"""A change to an account on the command line is saved with its audit entry, or not at all."""

import getpass
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from setup_wizard.access.audit import AuditEvent, AuditOutcome
from setup_wizard.access.audit_actions import AccessAudit
from tests.attempts.audit.entries import full_trail

NEW = "eleven calm herons"

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(monkeypatch):
    def call(name="root"):
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
        call_command("createsuperuser", "--noinput", username=name, email="root@example.com", verbosity=0)

    return call


@pytest.fixture
def type_in(monkeypatch):
    """Answers the password prompts."""

    def wait_for(*words):
        waiting = iter(words)
        monkeypatch.setattr(getpass, "getpass", lambda _: next(waiting))

    return wait_for


def trail():
    rows = AuditEvent.objects.filter(action__startswith="account-")
    return [(row.action, row.target_name, row.outcome, row.note) for row in rows]


def test_a_new_superuser_is_in_the_audit_log(make):
    make()

    assert User.objects.get(username="root").is_superuser
    assert trail() == [(AccessAudit.ACCOUNT_ADDED, "root", AuditOutcome.DONE, "superuser, on the command line")]
    row = AuditEvent.objects.get()
    assert (row.user_name, row.address, row.target_id) == ("", None, str(User.objects.get().pk))


def test_without_its_audit_entry_no_superuser_is_created(make):
    with full_trail():
        make()

    assert not User.objects.exists()


def test_a_taken_name_leaves_no_audit_entry(make, maria):
    with pytest.raises(CommandError, match="already taken"):
        make("maria")

    assert trail() == []


def test_a_changed_password_is_audited_and_ends_sessions(type_in, maria, browser_of_maria):
    type_in(NEW, NEW)

    call_command("changepassword", "maria", verbosity=0)

    maria.refresh_from_db()
    assert maria.check_password(NEW)
    assert trail() == [(AccessAudit.ACCOUNT_CHANGED, "maria", AuditOutcome.DONE, "password, on the command line")]
    assert browser_of_maria.get("/attempts/").status_code == 302


def test_without_its_audit_entry_no_password_is_changed(type_in, maria, password):
    type_in(NEW, NEW)

    with full_trail():
        call_command("changepassword", "maria")

    maria.refresh_from_db()
    assert maria.check_password(password)


def test_the_command_gives_up_after_three_bad_passwords(type_in, maria, password, capsys):
    type_in("short", "short", NEW, "eleven calm heron", "password1234", "password1234")

    with pytest.raises(CommandError, match="nothing was changed, after 3 tries"):
        call_command("changepassword", "maria")

    maria.refresh_from_db()
    said = capsys.readouterr().err
    assert [words in said for words in ("too short", "do not match", "easy to guess")] == [True] * 3
    assert maria.check_password(password)
    assert trail() == []


def test_an_unknown_user_is_reported(type_in, db):
    with pytest.raises(CommandError, match="there is no user"):
        call_command("changepassword", f"nobody-{uuid4()}")


def test_no_password_is_in_the_audit_log(make, type_in):
    make()
    type_in("twelve calm herons", "twelve calm herons")
    call_command("changepassword", "root")

    told = repr(list(AuditEvent.objects.values()))

    assert len(trail()) == 2
    assert NEW not in told
    assert "twelve" not in told


def test_a_change_on_a_page_is_audited_once(client, make, maria):
    make()
    client.force_login(User.objects.get(username="root"))
    before = len(trail())

    words = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    client.post(f"/admin/auth/user/{maria.pk}/password/", words)

    assert len(trail()) == before + 1
