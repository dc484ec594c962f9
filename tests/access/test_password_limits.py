"""Limits on wrong passwords: 5 for a user name from a network, 20 from a network, in 15 minutes."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access import first_admin, password_limits
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.models import PasswordFailures, SetupToken
from tests.access.conftest import form

pytestmark = pytest.mark.django_db
LONG = "n" * 300


def sign_in(name, password, address="127.0.0.1", browser=None, **more):
    browser = browser or Client()
    return browser.post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR=address, **more)


def statuses(names, addresses, password="wrong"):
    return [sign_in(name, password, address).status_code for name, address in zip(names, addresses, strict=True)]


def test_the_sixth_wrong_password_for_a_name_is_refused(maria, password):
    assert statuses(["maria"] * 6, ["127.0.0.1"] * 6) == [422] * 5 + [429]

    refused = sign_in("maria", password)

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert "Try again in 15 minutes" in refused.text


def test_a_right_password_does_not_count(maria, password):
    for _ in range(8):
        assert sign_in("maria", password).status_code == 302

    assert statuses(["maria"] * 6, ["127.0.0.1"] * 6) == [422] * 5 + [429]


def test_a_right_password_does_not_clear_wrong_ones(maria, password):
    statuses(["maria"] * 4, ["127.0.0.1"] * 4)
    assert sign_in("maria", password).status_code == 302

    assert statuses(["maria"] * 2, ["127.0.0.1"] * 2) == [422, 429]


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{number:x}" for number in range(1, 7)],  # one customer network
        [f"2001:db8:1:2:{number:x}::1" for number in range(1, 7)],
        ["192.0.2.7", "::ffff:192.0.2.7"] * 3,  # one machine, as IPv4 and as mapped IPv6
        ["fe80::1%eth0", "fe80::2%eth1"] * 3,
        [""] * 6,  # behind a unix socket
        ["unix:", "nonsense", ""] * 2,
    ],
)
def test_addresses_of_one_network_share_a_limit(maria, addresses):
    assert statuses(["maria"] * 6, addresses) == [422] * 5 + [429]


@pytest.mark.parametrize("addresses", [["2001:db8:1:2::1", "2001:db8:1:3::1"], ["192.0.2.7", "192.0.2.8"]])
def test_addresses_of_two_networks_have_separate_limits(maria, addresses):
    assert statuses(["maria"] * 6, [addresses[0]] * 6)[-1] == 429
    assert statuses(["maria"], [addresses[1]]) == [422]


@pytest.mark.parametrize("network", ["2001:db8:1:2::{:x}", "192.0.2.9", ""])
def test_twenty_wrong_passwords_lock_out_a_network(maria, password, network):
    addresses = [network.format(number + 1) for number in range(21)]

    assert statuses([f"name-{number}" for number in range(21)], addresses) == [422] * 20 + [429]
    assert sign_in("maria", password, addresses[0]).status_code == 429
    assert sign_in("maria", password, "192.0.2.5").status_code == 302


@pytest.mark.parametrize("name", [LONG, "n" * 151, "\ufdfa" * 150])
def test_an_impossible_name_is_counted_and_refused(client, name):
    assert statuses([name] * 6, ["127.0.0.1"] * 6) == [422] * 5 + [429]


@pytest.mark.parametrize("name", [LONG, "n" * 151])
def test_an_impossible_name_is_not_hashed(client, settings, name):
    settings.PASSWORD_HASHERS = []  # hashing would fail

    assert sign_in(name, "wrong").status_code == 422


def test_two_spellings_of_a_name_share_a_limit(maria):
    assert statuses(["maria", "ｍaria", " maria "] * 2, ["127.0.0.1"] * 6) == [422] * 5 + [429]


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set."""
    now = SimpleNamespace(at=time.time())
    monkeypatch.setattr(password_limits, "time", SimpleNamespace(time=lambda: now.at))
    return now


def test_a_wrong_password_counts_for_fifteen_minutes(maria, password, clock):
    sign_in("maria", "wrong")
    clock.at += 14 * 60
    statuses(["maria"] * 4, ["127.0.0.1"] * 4)

    clock.at += 59
    assert sign_in("maria", password).status_code == 429
    clock.at += 2  # the first has expired, the other four have not
    assert statuses(["maria"] * 2, ["127.0.0.1"] * 2) == [422, 429]


def test_a_refused_request_does_not_extend_the_wait(maria, password, clock):
    statuses(["maria"] * 5, ["127.0.0.1"] * 5)
    for _ in range(3):
        clock.at += 4 * 60
        assert sign_in("maria", password).status_code == 429

    clock.at += 3 * 60 + 1

    assert sign_in("maria", password).status_code == 302


def test_a_clock_set_back_does_not_extend_the_wait(maria, password, clock):
    clock.at += 365 * 24 * 60 * 60
    statuses(["maria"] * 5, ["127.0.0.1"] * 5)

    clock.at -= 365 * 24 * 60 * 60

    assert sign_in("maria", password).status_code == 302


def test_names_and_addresses_are_not_stored(client):
    sign_in("a password in the wrong field", "wrong", "192.0.2.66")

    stored = repr(list(PasswordFailures.objects.values()))
    assert PasswordFailures.objects.count() == 2
    assert "wrong field" not in stored
    assert "192.0.2.66" not in stored


def test_old_failures_are_deleted(maria, clock):
    sign_in("maria", "wrong")
    assert password_limits.delete_old(datetime.fromtimestamp(clock.at, UTC)) == 0
    clock.at += 15 * 60 + 1
    sign_in("maria", "wrong", "192.0.2.5")

    assert password_limits.delete_old(datetime.fromtimestamp(clock.at, UTC)) == 2
    assert PasswordFailures.objects.count() == 2


def test_the_administrations_own_sign_in_has_the_same_limit(maria, password):
    browser = Client()
    asked = browser.get("/admin/login/", {"next": "/admin/"})
    assert asked.url.startswith("/sign-in/")

    answers = [browser.post("/admin/login/", {"username": "maria", "password": "wrong"}) for _ in range(6)]

    assert {answer.status_code for answer in answers} == {302}  # it only redirects
    assert not AuditEvent.objects.exists()


@pytest.fixture
def token():
    return first_admin.create_token()


def test_the_sixth_wrong_setup_token_is_refused_and_so_is_the_right_one(client, token):
    answers = [client.post("/first-administrator/", form(f"wrong {number}")) for number in range(6)]
    answers.append(client.post("/first-administrator/", form(token)))

    assert [answer.status_code for answer in answers] == [422] * 5 + [429] * 2
    assert "manage.py setup_token" in answers[-1].text
    assert not User.objects.exists()


def test_a_wrong_setup_token_skips_the_password_checks(client, token, settings):
    settings.PASSWORD_HASHERS = []  # hashing would fail

    answer = client.post("/first-administrator/", form("wrong", password="aaaaaaaaaaaa"))

    assert answer.status_code == 422
    assert "easy to guess" not in answer.text
    assert SetupToken.objects.get().wrong_count == 1


def test_a_weak_password_does_not_count_against_the_token(client, token):
    for _ in range(6):
        assert client.post("/first-administrator/", form(token, password="aaaaaaaaaaaa")).status_code == 422

    assert client.post("/first-administrator/", form(token)).status_code == 302
