"""System checks: durations, queue, database and keys."""

import base64
import hashlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from setup_wizard.attempts import checks, timing
from setup_wizard.project.databases import read_database_url


def test_checks_pass_with_the_settings_in_use():
    assert checks.time_limits_fit() == []
    assert checks.queue_is_set() == []


LIMITS = [
    ("GET_SECONDS", 4.0),
    ("GET_SECONDS", 16.0),
    ("POST_SECONDS", 14.0),
    ("LEASE", timedelta(seconds=7)),
    ("LEASE", timedelta(seconds=31)),
    ("WORKER_LIMIT", 14.0),
    ("SETTLE_TIME", timedelta(seconds=9)),
    ("SEND_WITHIN", 13.0),
    ("ENQUEUE_AGAIN", timedelta(seconds=20)),
    ("SUPERVISOR_LATENESS", 0.2),
    ("HEARTBEAT_EVERY", timedelta(seconds=8)),
    ("HEARTBEAT_EVERY", timedelta(minutes=2)),
    ("CANARY_EVERY", timedelta(seconds=8)),
    ("CANARY_LIFE", 10.0),
    ("CANARY_STALE", timedelta(seconds=25)),
    ("HEARTBEAT_STALE", timedelta(seconds=25)),
    ("BROADCASTER_STALE", timedelta(seconds=25)),
    ("BANNER_EVERY", timedelta(seconds=15)),
    ("BROADCASTER_QUERY_TIMEOUT", 20.0),
    ("MAX_SILENT_NODES", 32),
    ("SIGN_IN_TRIES", 3),
]
QUEUE = [
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"visibility_timeout": 3600}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"visibility_timeout": 20}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"unacked_restore_interval": 10}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"unacked_restore_throttle": 10}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"socket_timeout": 120}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"socket_connect_timeout": 30}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"health_check_interval": 60}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"socket_keepalive": False}),
    ("CELERY_BROKER_TRANSPORT_OPTIONS", {"max_retries": 3}),
    ("CELERY_TASK_PUBLISH_RETRY_POLICY", {"max_retries": 3}),
    ("CELERY_TASK_PUBLISH_RETRY", False),
    ("CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP", False),
    ("CELERY_BROKER_CONNECTION_MAX_RETRIES", 100),
    ("CELERY_TASK_ACKS_LATE", False),
    ("CELERY_TASK_REJECT_ON_WORKER_LOST", False),
    ("CELERY_WORKER_PREFETCH_MULTIPLIER", 4),
    ("CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS", True),
    ("CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT", 2),
    ("CELERY_RESULT_BACKEND", "redis://127.0.0.1/1"),
    ("CELERY_TASK_IGNORE_RESULT", False),
    ("CELERY_RESULT_EXTENDED", True),
    ("CELERY_TASK_SERIALIZER", "pickle"),
    ("CELERY_ACCEPT_CONTENT", ["json", "pickle"]),
    ("CELERY_WORKER_SEND_TASK_EVENTS", True),
    ("CELERY_WORKER_ENABLE_REMOTE_CONTROL", True),
]
FILE, SERVER = (read_database_url(url, pool=10) for url in ("sqlite:////tmp/rows", "postgres://db.example.com/rows"))
DATABASE = [
    (FILE, {"OPTIONS": FILE["OPTIONS"] | {"transaction_mode": None}}),
    (FILE, {"OPTIONS": FILE["OPTIONS"] | {"init_command": "PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"}}),
    (FILE, {"OPTIONS": FILE["OPTIONS"] | {"init_command": "PRAGMA synchronous=FULL;"}}),
    (FILE, {"OPTIONS": FILE["OPTIONS"] | {"timeout": 60}}),
    (SERVER, {"OPTIONS": SERVER["OPTIONS"] | {"options": "-c lock_timeout=3s -c synchronous_commit=off"}}),
    (SERVER, {"OPTIONS": SERVER["OPTIONS"] | {"options": "-c synchronous_commit=on"}}),
    (SERVER, {"CONN_MAX_AGE": 60}),
]


def broken(promises):
    return {promise for promise, holds in promises.items() if not holds}


@pytest.mark.parametrize(("limit", "value"), LIMITS)
def test_checks_refuse_durations_that_contradict_each_other(monkeypatch, limit, value):
    monkeypatch.setattr(timing, limit, value)

    assert {error.id for error in checks.time_limits_fit()} == {"attempts.E001"}


@pytest.mark.parametrize(("name", "value"), QUEUE)
def test_checks_refuse_unsafe_queue_settings(settings, name, value):
    set_value(settings, name, value)

    assert {error.id for error in checks.queue_is_set()} == {"attempts.E005"}


@pytest.mark.parametrize("engine", [FILE, SERVER], ids=["file", "server"])
def test_checks_pass_for_both_databases(engine):
    assert broken(checks.database(engine)) == set()


@pytest.mark.parametrize(("engine", "change"), DATABASE)
def test_checks_refuse_unsafe_database_settings(settings, monkeypatch, engine, change):
    monkeypatch.setitem(settings.DATABASES, "default", engine | change)

    assert len(broken(checks.database(engine | change))) == 1
    assert {error.id for error in checks.queue_is_set()} == {"attempts.E005"}


def test_checks_all_fail_for_at_least_one_setting(settings, monkeypatch):
    seen = set()
    for limit, value in LIMITS:
        with monkeypatch.context() as changed:
            changed.setattr(timing, limit, value)
            seen |= broken(checks.limits())
    for name, value in QUEUE:
        before = getattr(settings, name)
        set_value(settings, name, value)
        seen |= broken(checks.queue())
        setattr(settings, name, before)
    for engine, change in DATABASE:
        seen |= broken(checks.database(engine | change))

    assert seen == {*checks.limits(), *checks.queue(), *checks.database(FILE)}


def set_value(settings, name, value):
    """Replace a setting, or merge into it if it is a dictionary."""
    setattr(settings, name, getattr(settings, name) | value if isinstance(value, dict) else value)


def test_checks_refuse_a_key_file_that_others_can_read(monkeypatch, tmp_path):
    path = tmp_path / "keys"
    path.touch(mode=0o640)
    monkeypatch.setenv("SETUP_WIZARD_CREDENTIAL_KEYS_FILE", str(path))

    assert [error.id for error in checks.credential_keys_open()] == ["attempts.E003"]

    path.chmod(0o600)
    assert checks.credential_keys_open() == []


def test_checks_refuse_an_invalid_key(settings):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = ["short"]

    assert [error.id for error in checks.credential_keys_open()] == ["attempts.E002"]


def test_checks_refuse_the_secret_key_as_credential_key(settings):
    settings.SECRET_KEY = settings.SETUP_WIZARD_CREDENTIAL_KEYS[0]

    assert [error.id for error in checks.credential_keys_open()] == ["attempts.E004"]


CLONE = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(hashlib.sha256(b"only for the tests").digest()).decode()
ZEROS = base64.b64encode(bytes(32)).decode()


def check_deployment(**environment):
    """Run `manage.py check --deploy` with these settings only."""
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


def test_check_deploy_passes_with_good_settings():
    done = check_deployment(SETUP_WIZARD_CREDENTIAL_KEYS=KEY)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "SETUP_WIZARD_CREDENTIAL_KEYS"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": "short"}, "attempts.E002"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": KEY, "SECRET_KEY": KEY}, "attempts.E004"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS_FILE": "open-to-all"}, "attempts.E003"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": KEY, "ALLOWED_HOSTS": "*"}, "project.E001"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": KEY, "SETUP_WIZARD_DEMO": "true"}, "project.E002"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": ZEROS}, "project.E003"),
        ({"SETUP_WIZARD_CREDENTIAL_KEYS": KEY, "SETUP_WIZARD_TRUSTED_PROXIES": "0.0.0.0/0"}, "project.E004"),
    ],
    ids=["missing", "short", "shared", "open to all", "any host", "demo", "zeros", "any proxy"],
)
def test_check_deploy_refuses_bad_settings(tmp_path, environment, complaint):
    if "SETUP_WIZARD_CREDENTIAL_KEYS_FILE" in environment:
        file = tmp_path / "open-to-all"
        file.write_text(KEY)
        file.chmod(0o644)
        environment = {"SETUP_WIZARD_CREDENTIAL_KEYS_FILE": str(file)}

    done = check_deployment(**environment)

    assert done.returncode != 0
    assert complaint in done.stderr
    assert KEY not in done.stderr
