"""The secrets of the containers."""

import base64
import os
import stat

import pytest

from setup_wizard.project import make_secrets


@pytest.fixture
def place(tmp_path, monkeypatch):
    """New volumes; the user of the tests stands for both owners."""
    for name in ("app", "db", "redis", "redis-data"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(make_secrets, "ROOT_UID", os.getuid())
    monkeypatch.setattr(make_secrets, "APP_UID", os.getuid())
    return tmp_path


def read(place):
    return {str(file.relative_to(place)): file.read_text() for file in place.rglob("*") if file.is_file()}


def test_the_first_run_creates_every_secret(place):
    make_secrets.make_all(place)

    made = read(place)
    assert made.keys() == {
        "app/secret-key",
        "app/credential-keys",
        "app/database-url",
        "app/redis-url",
        "db/password",
        "redis/password",
    }
    assert len(base64.b64decode(made["app/credential-keys"], validate=True)) == 32
    assert len(made["app/secret-key"]) >= 50
    assert made["app/database-url"] == f"postgres://setup_wizard:{made['db/password']}@db:5432/setup_wizard"
    assert made["app/redis-url"] == f"redis://:{made['redis/password']}@redis:6379/0"
    assert len(set(made.values())) == 6


def test_a_later_run_changes_nothing(place):
    make_secrets.make_all(place)
    before = read(place)

    make_secrets.make_all(place)

    assert read(place) == before


@pytest.mark.parametrize("missing", ["app/redis-url", "app/database-url", "app/secret-key"])
def test_an_interrupted_run_is_completed_by_the_next(place, missing):
    make_secrets.make_all(place)
    before = read(place)
    (place / missing).unlink()

    make_secrets.make_all(place)

    after = read(place)
    assert after | {"app/secret-key": before["app/secret-key"]} == before
    assert after["app/secret-key"]
    assert (after == before) == (missing != "app/secret-key")


def test_only_its_owner_can_read_a_secret(place):
    (place / "app" / "secret-key").write_text("left open by somebody")
    (place / "app" / "secret-key").chmod(0o644)

    make_secrets.make_all(place)

    modes = {stat.S_IMODE(file.stat().st_mode) for file in place.rglob("*") if file.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE((place / name).stat().st_mode) for name in ("app", "db", "redis")} == {0o700}


def test_each_volume_has_the_secrets_of_its_service_only(place, monkeypatch):
    given = {}
    monkeypatch.setattr(make_secrets.os, "chown", lambda path, uid, gid: given.update({str(path): (uid, gid)}))
    monkeypatch.setattr(make_secrets, "ROOT_UID", 0)
    monkeypatch.setattr(make_secrets, "APP_UID", 10001)

    make_secrets.make_all(place)

    assert given[str(place / "db" / "password")] == (0, 0)
    assert given[str(place / "redis" / "password")] == (10001, 10001)
    assert given[str(place / "app" / "credential-keys")] == (10001, 10001)
    assert given[str(place / "redis-data")] == (10001, 10001)
