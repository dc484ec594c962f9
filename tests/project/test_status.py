"""The page of health and version: each state with a plain sentence, and no secret."""

import re
import tomllib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from setup_wizard import __version__
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import vault
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.monitoring.models import Heartbeat
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db

PAGE = "/admin/health/"
OTHER_KEY = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMDE="


@pytest.fixture
def reviewer():
    return assign(User.objects.create_user("rosa"), Role.REVIEWER)


@pytest.fixture
def look(reviewer):
    """Open the page; gives the state and the sentence of each line, by its name."""
    browser = Client()
    browser.force_login(reviewer)

    def read():
        rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', browser.get(PAGE).text)
        return {name: (re.sub("<[^>]+>", "", state), sentence) for name, state, sentence in rows}

    return read


def test_the_version_is_that_of_the_package(look):
    package = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]

    assert look()["Cluster setup"][0] == __version__ == package["version"]


def test_the_versions_of_what_it_runs_on_are_shown(look):
    shown = look()

    assert re.fullmatch(r"3\.\d+\.\d+", shown["Python"][0])
    assert {"Django", "Celery"} <= set(shown)
    assert {"SQLite", "PostgreSQL"} & set(shown)


def test_a_part_that_does_not_work_says_what_that_means(look):
    shown = look()

    assert shown["Database"][0].startswith("✓ works")
    assert shown["Supervisor"] == (
        "! does not work",
        "The supervisor is not running. Setups pause until it is back; nothing is lost.",
    )


def test_heartbeats_are_shown_with_what_is_late(look):
    Heartbeat.objects.create(part="supervisor", at=timezone.now())
    Heartbeat.objects.create(part="worker", at=timezone.now() - timedelta(hours=1))

    shown = look()

    assert shown["supervisor"][0].startswith("✓ ")
    assert shown["worker"][0].startswith("! ")
    assert "Nothing for more than" in shown["worker"][1]


def test_due_work_that_waits_for_long_is_remarked(look, reviewer):
    assert look()["Steps that are due"] == ("✓ 0", "No attempt waits for a worker.")
    minute_ago = timezone.now() - timedelta(minutes=1)
    add_attempt(reviewer, state=State.IN_PROGRESS, next_tick_at=minute_ago, lease_expires_at=minute_ago)

    state, sentence = look()["Steps that are due"]

    assert state == "! 1"
    assert "start another one" in sentence


def test_keys_are_counted_and_not_shown(look, settings):
    vault.seal(uuid4(), Credentials(username="a", password=Secret("b")), expires_at=timezone.now() + timedelta(days=1))
    assert look()["Keys"][0] == "✓ 1"
    old = settings.SETUP_WIZARD_CREDENTIAL_KEYS[0]

    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [OTHER_KEY, old]
    rotating = look()
    vault.rotate()
    rotated = look()

    assert rotating["Keys"] == (
        "! 2",
        "The first encrypts. 1 encrypted secrets need another: run manage.py rotate_credentials.",
    )
    assert "no other is needed" in rotated["Keys"][1]
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = [old]
    assert look()["Encrypted secrets without a key"][0] == "! 1"


def test_no_secret_is_on_the_page(look, settings):
    settings.SETUP_WIZARD_METRICS_TOKEN = "a-token-that-no-page-may-show-01234567"

    shown = str(look())

    secrets = [settings.SECRET_KEY, settings.SETUP_WIZARD_METRICS_TOKEN, *settings.SETUP_WIZARD_CREDENTIAL_KEYS]
    assert [secret for secret in secrets if secret in shown] == []
    assert "For its token or networks only." in shown


def test_settings_that_are_not_for_production_are_marked(look, settings):
    settings.SETUP_WIZARD_ALLOW_LOOPBACK, settings.SETUP_WIZARD_HTTPS = True, False

    shown = look()

    assert shown["SETUP_WIZARD_ALLOW_LOOPBACK"][0] == "! on"
    assert shown["SETUP_WIZARD_HTTPS"] == ("! off", "Pages can be opened without TLS.")


def test_the_networks_say_whether_nodes_may_be_on_this_machine(look, settings):
    sentences = []
    for allowed in (False, True):
        settings.SETUP_WIZARD_ALLOW_LOOPBACK = allowed
        sentences.append(look()["SETUP_WIZARD_ALLOWED_NETWORKS"][1])

    assert sentences == [
        "Nodes are reached in these networks only.",
        "Nodes are reached in these networks and on this machine only.",
    ]


def test_closed_metrics_name_the_settings_that_open_them(look, settings):
    settings.SETUP_WIZARD_METRICS_TOKEN, settings.SETUP_WIZARD_METRICS_NETWORKS = "", []

    state, sentence = look()["/metrics"]

    assert state == "closed"
    assert "SETUP_WIZARD_METRICS_TOKEN" in sentence


def test_the_administration_links_health_help_and_the_api(reviewer):
    browser = Client()
    browser.force_login(reviewer)

    page = browser.get("/admin/").text.partition('id="content-main"')[2]

    assert [name for name in (PAGE, "/help/", "/api/v1/docs") if f'href="{name}"' not in page] == []
