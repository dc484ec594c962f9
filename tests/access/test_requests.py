"""Where requests come from, cross-site requests, and limits per minute."""

import os
import subprocess
import sys

import pytest
from django.test import RequestFactory

from setup_wizard.access import client_address, throttle
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.models import RequestCount


def sign_in(browser, name, password, **more):
    return browser.post("/sign-in/", {"username": name, "password": password}, **more)


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "client"),
    [
        ([], "10.0.0.1", "", "10.0.0.1"),
        ([], "10.0.0.1", "10.9.9.9", "10.0.0.1"),  # no trusted proxy
        (["10.0.0.2"], "10.0.0.1", "10.9.9.9", "10.0.0.1"),  # not from the trusted proxy
        (["10.0.0.1"], "10.0.0.1", "10.9.9.9", "10.9.9.9"),
        (["10.0.0.1"], "10.0.0.1", "10.8.8.8, 10.9.9.9", "10.9.9.9"),  # the client itself sent the first
        (["10.0.0.0/29"], "10.0.0.1", "10.8.8.8, 10.9.9.9, 10.0.0.3", "10.9.9.9"),  # two proxies in a row
        (["10.0.0.1"], "10.0.0.1", "10.9.9.9, nonsense", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1", "2001:db8::5", "2001:db8::5"),
        (["10.0.0.1"], "::ffff:10.0.0.1", "10.9.9.9", "10.9.9.9"),
        ([], "", "10.9.9.9", ""),
    ],
)
def test_the_client_is_the_last_address_not_of_a_trusted_proxy(settings, proxies, peer, forwarded, client):
    settings.SETUP_WIZARD_TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    assert client_address.of_request(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer)) == client


def test_a_failure_behind_a_trusted_proxy_counts_for_its_client(client, maria, settings):
    settings.SETUP_WIZARD_TRUSTED_PROXIES = ["127.0.0.1"]

    sign_in(client, "maria", "wrong", headers={"X-Forwarded-For": "10.0.0.66"})

    assert AuditEvent.objects.get(action="sign-in-failed").address == "10.0.0.66"


@pytest.mark.parametrize("address", ["/sign-out/", "/setup/", "/api/v1/probe"])
def test_a_cross_site_post_is_refused_despite_its_token(browser_of_maria, address):
    answer = browser_of_maria.post(address, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert "Content-Security-Policy" in answer.headers
    assert "_auth_user_id" in browser_of_maria.session


@pytest.mark.parametrize("said", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_a_same_site_post_is_accepted(browser_of_maria, said):
    assert browser_of_maria.post("/sign-out/", headers=said).status_code == 302


def test_a_link_from_another_site_works(browser_of_maria):
    assert browser_of_maria.get("/attempts/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.usefixtures("one_minute")
def test_posts_per_minute_are_limited(browser_of_maria, settings):
    settings.SETUP_WIZARD_POSTS_PER_MINUTE = 3

    *accepted, refused = [browser_of_maria.post("/setup/") for _ in range(4)]

    assert [answer.status_code for answer in accepted] == [302] * 3
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "The limit is 3 forms per minute for each user." in refused.text
    assert browser_of_maria.get("/setup/").status_code == 200


def test_a_new_minute_reuses_the_row(maria):
    throttle.count("forms", maria, limit=5)
    RequestCount.objects.update(count=5, minute=1)

    throttle.count("forms", maria, limit=5)

    assert RequestCount.objects.get().count == 1


def test_check_deploy_finds_nothing(settings):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "setup_wizard.project.settings",
        "SECRET_KEY": "m4Yx-0qZ8r_Jt2LkVwS7aCePbH5dNfGu1oXiTzRyEhMvQgB9c-Kw3",
        "SETUP_WIZARD_CREDENTIAL_KEYS": "q1Zr0v8cHh3yJm5tWw2XbK9dLf7gNsPaUe4iYoRxTzM=",
        "SETUP_WIZARD_HTTPS": "true",
        "SETUP_WIZARD_ALLOW_LOOPBACK": "false",
        "SETUP_WIZARD_ALLOWED_PORTS": "9443",
    }
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # for the tests that drive a browser
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    check = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert check.returncode == 0, check.stderr
