"""S3: what older keys have sealed is sealed with the newest, at any time, however often, and whoever else is at it."""

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
from tests.attempts.conftest import PASSWORD, follow, tick
from tests.attempts.killed import ROWS
from tests.attempts.test_audit import full_trail

pytestmark = pytest.mark.django_db

NEW = base64.b64encode(b"n" * 32).decode()


@pytest.fixture
def old(settings):
    """The key that seals, until a newer one is put before it."""
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


class Meanwhile:
    """Let something happen between the reading of the rows and the first writing of one."""

    def __init__(self, happen):
        self.happen, self.has_happened = happen, False

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith('UPDATE "attempts_sealedcredentials"') and not self.has_happened:
            self.has_happened = True
            self.happen()
        return execute(sql, params, many, context)


def rotate_while(happen):
    with connection.execute_wrapper(Meanwhile(happen)):
        return vault.rotate()


def test_setups_that_run_go_on_when_the_old_key_is_gone(start, fresh_node, bring_new_key, settings):
    attempt, draft = start(fresh_node), seal()
    tick(attempt)
    bring_new_key()

    call_command("rotate_credentials")
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]

    assert vault.open_for(draft).password == Secret(PASSWORD)
    assert follow(attempt).status is State.SUCCEEDED


def test_the_old_key_alone_opens_nothing_any_more(bring_new_key, old, settings):
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


def test_it_says_how_many_there_were_and_a_second_time_none(bring_new_key, capsys):
    seal(), seal()
    bring_new_key()

    call_command("rotate_credentials")
    first, sealed = capsys.readouterr().out, set(SealedCredentials.objects.values_list("sealed", flat=True))
    call_command("rotate_credentials")

    assert first.splitlines()[0].endswith(": 2.")
    assert capsys.readouterr().out.splitlines()[0].endswith(": 0.")
    assert set(SealedCredentials.objects.values_list("sealed", flat=True)) == sealed


def test_how_long_they_are_kept_does_not_change(bring_new_key):
    draft = seal()
    until = vault.expires_at(draft)
    bring_new_key()

    vault.rotate()

    assert vault.expires_at(draft) == until


def test_what_no_key_opens_is_counted_and_fails_when_the_rest_is_done(settings, bring_new_key, capsys):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(b"l" * 32).decode()]
    lost = seal()
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(bytes(range(32))).decode()]
    draft, changed = seal(), seal()
    SealedCredentials.objects.filter(owner=changed).update(sealed=SealedCredentials.objects.get(owner=draft).sealed)
    before = SealedCredentials.objects.get(owner=lost).sealed
    bring_new_key()

    with pytest.raises(CommandError, match="Not opened by any key that is configured: 2"):
        call_command("rotate_credentials")

    assert capsys.readouterr().out.endswith(": 1.\n")
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]
    assert vault.open_for(draft).password == Secret(PASSWORD)
    assert SealedCredentials.objects.get(owner=lost).sealed == before


def test_a_bad_key_is_told_by_its_place(settings):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = ["c2hvcnQ="]

    with pytest.raises(CommandError, match="key 1 is not 32 bytes"):
        call_command("rotate_credentials")


def test_more_than_a_batch_is_done_in_several(bring_new_key):
    for _ in range(vault.BATCH + 1):
        seal()
    bring_new_key()

    assert vault.rotate().resealed == vault.BATCH + 1
    assert key_ids() == {next(iter(vault.keys()))}
    assert [row.note for row in AuditEvent.objects.filter(action=AttemptAudit.ROTATE)] == [
        "1 sealed anew, at the command line",
        "100 sealed anew, at the command line",
    ]


def test_what_is_forgotten_meanwhile_stays_forgotten(bring_new_key):
    draft = seal()
    bring_new_key()

    done = rotate_while(lambda: vault.discard(draft))

    assert (done.resealed, done.unopened) == (0, 0)
    assert not SealedCredentials.objects.exists()


def test_what_is_entered_anew_meanwhile_is_what_is_kept(bring_new_key):
    draft = seal()
    bring_new_key()

    rotate_while(lambda: seal("Another-one-8", draft))

    assert vault.open_for(draft).password == Secret("Another-one-8")


def test_what_is_handed_over_meanwhile_belongs_to_the_attempt(bring_new_key, settings):
    draft, attempt = seal(), uuid4()
    bring_new_key()

    rotate_while(lambda: vault.hand_over(draft, attempt, expires_at=timezone.now() + timedelta(days=1)))
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]

    assert vault.open_for(attempt).password == Secret(PASSWORD)
    assert [row.owner for row in SealedCredentials.objects.all()] == [attempt]


def test_one_whose_process_still_seals_with_the_old_key_is_sealed_anew_too(bring_new_key, settings, old):
    draft = seal()
    bring_new_key()

    def an_older_process_seals():
        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [old]
        seal("Another-one-8", draft)
        bring_new_key()

    rotate_while(an_older_process_seals)
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [NEW]

    assert vault.open_for(draft).password == Secret("Another-one-8")


def test_without_its_row_in_the_trail_nothing_is_sealed_anew(bring_new_key):
    seal()
    before = key_ids()
    bring_new_key()

    with full_trail():
        vault.rotate()

    assert key_ids() == before


def test_the_row_names_neither_key_nor_secret(bring_new_key, old):
    seal()
    bring_new_key()

    vault.rotate()

    (row,) = AuditEvent.objects.filter(action=AttemptAudit.ROTATE).values()
    assert (row["target_name"], row["user_name"], row["address"]) == (f"key {next(iter(vault.keys()))}", "", None)
    assert not {NEW, old, PASSWORD} & {str(value) for value in row.values()}


@pytest.mark.slow
def test_one_that_was_killed_half_way_is_run_again(tmp_path, settings, bring_new_key, old):
    """On a file of its own, which outlasts the process that dies."""
    file = tmp_path / "killed.sqlite3"
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{file}", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    place = {"cwd": settings.BASE_DIR, "env": environment, "text": True, "capture_output": True, "timeout": 100}

    def run(what, *keys):
        return subprocess.run([sys.executable, "-m", "tests.attempts.killed", what, *keys], **place, check=False)

    assert run("fill", old).returncode == 0
    died = run("die", NEW, old)
    halves = sealed_with(file)
    again = run("rotate", NEW, old)

    bring_new_key()
    new, older = vault.keys()
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert halves == {new: vault.BATCH, older: ROWS - vault.BATCH}  # it died in the second batch: none of that is left
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[0].endswith(f": {ROWS - vault.BATCH}.")
    assert sealed_with(file) == {new: ROWS}
    assert again.stdout.splitlines()[-1] == str(ROWS)  # opened by the new key alone


def sealed_with(file):
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT substr(sealed, 4, 8), count(*) FROM attempts_sealedcredentials GROUP BY 1")
        return dict(rows.fetchall())
