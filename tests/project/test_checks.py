"""`check --deploy` refuses each setting that only the demo may have."""

import base64

import pytest

from setup_wizard.project import checks

RANDOM = base64.b64encode(bytes((number * 89 + number**2 * 7) % 256 for number in range(32))).decode()


def key(data):
    return base64.b64encode(data).decode()


@pytest.fixture(autouse=True)
def _production(settings, monkeypatch):
    """Settings without any finding."""
    settings.ALLOWED_HOSTS = ["setup.example.com"]
    settings.SETUP_WIZARD_DEMO = settings.SETUP_WIZARD_ALLOW_LOOPBACK = settings.DEBUG = False
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [RANDOM]
    settings.SECRET_KEY = "Zq8-rT5wXy2Lk0NnB7vC3mJhGfDsAaPoIuYtReWqLk"
    settings.SETUP_WIZARD_METRICS_TOKEN = ""
    settings.SETUP_WIZARD_TRUSTED_PROXIES = ["10.0.0.5/32", "10.0.0.0/8", "fd00::/8"]
    for name in checks.SECRETS:
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def errors():
    found = [checks.hosts_are_named(), checks.demo_is_off(), checks.keys_are_random()]
    found += [checks.proxies_are_few(), checks.secret_files_are_private()]
    return [error.msg for errors in found for error in errors]


def test_production_settings_pass_the_checks():
    assert errors() == []


@pytest.mark.parametrize(("host", "some"), [("*", ""), (".com", "almost "), (".", "almost "), (".local", "almost ")])
def test_a_wildcard_or_top_level_domain_as_host_is_refused(settings, host, some):
    settings.ALLOWED_HOSTS = ["setup.example.com", host]

    assert errors() == [f"ALLOWED_HOSTS has {host}: it accepts requests for {some}any host."]


def test_a_wildcard_below_an_own_domain_is_accepted(settings):
    settings.ALLOWED_HOSTS = [".example.com", "setup.example.com"]

    assert errors() == []


@pytest.mark.parametrize("name", ["SETUP_WIZARD_DEMO", "SETUP_WIZARD_ALLOW_LOOPBACK", "DEBUG"])
def test_demo_settings_are_refused(settings, name):
    setattr(settings, name, True)

    (error,) = errors()
    assert error.startswith(f"{name} is on: ")


@pytest.mark.parametrize(
    "weak", [bytes(32), b"\xff" * 32, bytes(range(32)), bytes(range(255, 223, -1)), b"01234567" * 4, b"password" * 4]
)
def test_a_key_that_is_easy_to_guess_is_refused(settings, weak):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [RANDOM, key(weak)]

    assert errors() == ["SETUP_WIZARD_CREDENTIAL_KEYS is easy to guess."]


@pytest.mark.parametrize("name", ["SECRET_KEY", "SETUP_WIZARD_METRICS_TOKEN"])
@pytest.mark.parametrize("weak", ["0" * 50, "secret" * 10, "changeme" * 5])
def test_a_secret_of_few_distinct_characters_is_refused(settings, name, weak):
    setattr(settings, name, weak)

    assert errors() == [f"{name} is easy to guess."]


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "8000::/1", "10.0.0.0/7"])
def test_a_large_network_of_proxies_is_refused(settings, network):
    settings.SETUP_WIZARD_TRUSTED_PROXIES = ["10.0.0.5/32", network]

    (error,) = errors()
    assert network in error


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o777])
@pytest.mark.parametrize("name", checks.SECRETS)
def test_a_secret_file_that_others_can_read_is_refused(tmp_path, monkeypatch, name, mode):
    file = tmp_path / "secret"
    file.write_text("x")
    file.chmod(mode)
    monkeypatch.setenv(f"{name}_FILE", str(file))

    assert errors() == [f"Other users can read {file}, which holds a secret."]
    file.chmod(0o600)
    assert errors() == []
