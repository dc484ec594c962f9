import base64
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from setup_wizard.attempts import checks, timing


def test_the_limits_fit_as_they_stand():
    assert checks.time_limits_fit() == []


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("QUIET", timedelta(seconds=9)),
        ("LEASE", timedelta(seconds=7)),
        ("LEASE", timedelta(seconds=31)),
        ("WORKER_LIMIT", 61.0),
        ("RING_AGAIN", timedelta(seconds=20)),
    ],
)
def test_a_limit_that_breaks_a_promise_stops_the_start(monkeypatch, limit, value):
    monkeypatch.setattr(timing, limit, value)

    assert {error.id for error in checks.time_limits_fit()} == {"attempts.E001"}


def test_a_key_file_that_others_may_read_stops_the_start(monkeypatch, tmp_path):
    path = tmp_path / "keys"
    path.touch(mode=0o640)
    monkeypatch.setenv("SETUP_WIZARD_CREDENTIAL_KEYS_FILE", str(path))

    assert [error.id for error in checks.credential_keys_open()] == ["attempts.E003"]

    path.chmod(0o600)
    assert checks.credential_keys_open() == []


def test_a_key_that_is_none_stops_the_start(settings):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = ["short"]

    assert [error.id for error in checks.credential_keys_open()] == ["attempts.E002"]


def test_a_key_that_is_the_secret_key_too_stops_the_start(settings):
    settings.SECRET_KEY = settings.SETUP_WIZARD_CREDENTIAL_KEYS[0]

    assert [error.id for error in checks.credential_keys_open()] == ["attempts.E004"]


CLONE = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()


def check_deployment(**environment):
    """What `manage.py check --deploy` says of a set-up of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        check=False,
        cwd=CLONE,
        env={"PATH": os.environ["PATH"], "ALLOWED_HOSTS": "setup.example.com", "SETUP_WIZARD_HTTPS": "true"}
        | {"SECRET_KEY": "signs-sessions-and-nothing-else-0123456789-abcdefghij"}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_good_set_up_is_let_through():
    done = check_deployment(SETUP_WIZARD_CREDENTIAL_KEYS=KEY)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "SETUP_WIZARD_CREDENTIAL_KEYS"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": "short"}, "attempts.E002"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": KEY, "SECRET_KEY": KEY}, "attempts.E004"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS_FILE": "open-to-all"}, "attempts.E003"),
    ],
    ids=["missing", "short", "shared", "open to all"],
)
def test_a_bad_set_up_is_refused_at_the_door(tmp_path, environment, complaint):
    if "SETUP_WIZARD_CREDENTIAL_KEYS_FILE" in environment:
        file = tmp_path / "open-to-all"
        file.write_text(KEY)
        file.chmod(0o644)
        environment = {"SETUP_WIZARD_CREDENTIAL_KEYS_FILE": str(file)}

    done = check_deployment(**environment)

    assert done.returncode != 0
    assert complaint in done.stderr
    assert KEY not in done.stderr
