from datetime import timedelta

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
