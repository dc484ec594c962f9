"""`rotate_credentials` encrypts everything with the newest key, safely beside other processes."""

import base64
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from setup_wizard.access.audit import AuditEvent
from setup_wizard.attempts import vault
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.attempts.models import SealedCredentials
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from tests.attempts.audit.entries import full_trail
from tests.attempts.conftest import PASSWORD, follow, tick
from tests.attempts.rotate_and_die import ROWS

pytestmark = pytest.mark.django_db

NEW = base64.b64encode(b"n" * 32).decode()


@pytest.fixture
def old(settings):
    """The key in use before a newer one is added."""
    return settings.SETUP_WIZARD_CREDENTIAL_KEYS[0]


@pytest.fixture
def bring_new_key(settings, old):
    def bring():
        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW, old]

    return bring


def seal(password=PASSWORD, owner=None):
    owner = owner or uuid4()
    until = timezone.now() + timedelta(minutes=15)
    vault.seal(owner, Credentials(username="admin@example.com", password=Secret(password)), expires_at=until)
    return owner


def key_ids():
    return {row.sealed.split(":")[1] for row in SealedCredentials.objects.all()}


class BeforeFirstUpdate:
    """Call a function after the rows were read and before the first one is written."""

    def __init__(self, call):
        self.call, self.was_called = call, False

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith('UPDATE "attempts_sealedcredentials"') and not self.was_called:
            self.was_called = True
            self.call()
        return execute(sql, params, many, context)


def rotate_while(call):
    with connection.execute_wrapper(BeforeFirstUpdate(call)):
        return vault.rotate()


def test_running_attempt_continues_without_the_old_key(start, fresh_node, bring_new_key, settings):
    attempt, draft = start(fresh_node), seal()
    tick(attempt)
    bring_new_key()

    call_command("rotate_credentials")
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]

    assert vault.open_for(draft).password == Secret(PASSWORD)
    assert follow(attempt).status is State.SUCCEEDED


def test_old_key_decrypts_nothing_after_a_rotation(bring_new_key, old, settings):
    draft = seal()
    bring_new_key()

    vault.rotate()
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [old]

    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(draft)
    blob = base64.b64decode(SealedCredentials.objects.get().sealed.split(":")[2])
    (key,) = vault.keys().values()
    with pytest.raises(InvalidTag):
        key.decrypt(blob[:12], blob[12:], f"{draft}:credentials".encode())


def test_rotation_prints_a_count_and_zero_the_second_time(bring_new_key, capsys):
    seal(), seal()
    bring_new_key()

    call_command("rotate_credentials")
    first, sealed = capsys.readouterr().out, set(SealedCredentials.objects.values_list("sealed", flat=True))
    call_command("rotate_credentials")

    assert first.splitlines()[0].endswith(": 2.")
    assert capsys.readouterr().out.splitlines()[0].endswith(": 0.")
    assert set(SealedCredentials.objects.values_list("sealed", flat=True)) == sealed


def test_rotation_keeps_the_expiry(bring_new_key):
    draft = seal()
    until = vault.expires_at(draft)
    bring_new_key()

    vault.rotate()

    assert vault.expires_at(draft) == until


def test_rotation_finishes_then_fails_for_rows_without_a_key(settings, bring_new_key, capsys):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(b"l" * 32).decode()]
    lost = seal()
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(bytes(range(32))).decode()]
    draft, changed = seal(), seal()
    SealedCredentials.objects.filter(owner=changed).update(sealed=SealedCredentials.objects.get(owner=draft).sealed)
    before = SealedCredentials.objects.get(owner=lost).sealed
    bring_new_key()

    with pytest.raises(CommandError, match="No configured key decrypts 2"):
        call_command("rotate_credentials")

    assert capsys.readouterr().out.endswith(": 1.\n")
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]
    assert vault.open_for(draft).password == Secret(PASSWORD)
    assert SealedCredentials.objects.get(owner=lost).sealed == before


def test_rotation_names_the_position_of_a_bad_key(settings):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = ["c2hvcnQ="]

    with pytest.raises(CommandError, match="key 1 is not 32 bytes"):
        call_command("rotate_credentials")


def test_rotation_works_in_batches(bring_new_key):
    for _ in range(vault.BATCH + 1):
        seal()
    bring_new_key()

    assert vault.rotate().resealed == vault.BATCH + 1
    assert key_ids() == {next(iter(vault.keys()))}
    assert [row.note for row in AuditEvent.objects.filter(action=AttemptAudit.ROTATE)] == [
        "1 encrypted again, from the command line",
        "100 encrypted again, from the command line",
    ]


def test_rotation_does_not_restore_deleted_credentials(bring_new_key):
    draft = seal()
    bring_new_key()

    done = rotate_while(lambda: vault.discard(draft))

    assert (done.resealed, done.unopened) == (0, 0)
    assert not SealedCredentials.objects.exists()


def test_rotation_keeps_credentials_entered_meanwhile(bring_new_key):
    draft = seal()
    bring_new_key()

    rotate_while(lambda: seal("Another-one-8", draft))

    assert vault.open_for(draft).password == Secret("Another-one-8")


def test_rotation_keeps_credentials_handed_over_meanwhile(bring_new_key, settings):
    draft, attempt = seal(), uuid4()
    bring_new_key()

    rotate_while(lambda: vault.move(draft, attempt, expires_at=timezone.now() + timedelta(days=1)))
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]

    assert vault.open_for(attempt).password == Secret(PASSWORD)
    assert [row.owner for row in SealedCredentials.objects.all()] == [attempt]


def test_rotation_includes_rows_written_with_the_old_key_meanwhile(bring_new_key, settings, old):
    draft = seal()
    bring_new_key()

    def an_older_process_seals():
        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [old]
        seal("Another-one-8", draft)
        bring_new_key()

    rotate_while(an_older_process_seals)
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]

    assert vault.open_for(draft).password == Secret("Another-one-8")


def test_rotation_changes_nothing_without_its_audit_entry(bring_new_key):
    seal()
    before = key_ids()
    bring_new_key()

    with full_trail():
        vault.rotate()

    assert key_ids() == before


def test_audit_entry_of_a_rotation_contains_no_key_or_password(bring_new_key, old):
    seal()
    bring_new_key()

    vault.rotate()

    (row,) = AuditEvent.objects.filter(action=AttemptAudit.ROTATE).values()
    assert (row["target_name"], row["user_name"], row["address"]) == (f"key {next(iter(vault.keys()))}", "", None)
    assert not {NEW, old, PASSWORD} & {str(value) for value in row.values()}


@pytest.mark.slow
def test_rotation_can_be_repeated_after_it_was_killed(tmp_path, settings, bring_new_key, old):
    file = tmp_path / "killed.sqlite3"
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{file}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    place = {"cwd": settings.BASE_DIR, "env": environment, "text": True, "capture_output": True, "timeout": 100}

    def run(command, *keys):
        return subprocess.run(
            [sys.executable, "-m", "tests.attempts.rotate_and_die", command, *keys], **place, check=False
        )

    assert run("fill", old).returncode == 0
    died = run("die", NEW, old)
    halves = sealed_with(file)
    again = run("rotate", NEW, old)

    bring_new_key()
    new, older = vault.keys()
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert halves == {new: vault.BATCH, older: ROWS - vault.BATCH}  # it died in the second batch, which was rolled back
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[0].endswith(f": {ROWS - vault.BATCH}.")
    assert sealed_with(file) == {new: ROWS}
    assert again.stdout.splitlines()[-1] == str(ROWS)  # decrypted with the new key only


def sealed_with(file):
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT substr(sealed, 4, 8), count(*) FROM attempts_sealedcredentials GROUP BY 1")
        return dict(rows.fetchall())
