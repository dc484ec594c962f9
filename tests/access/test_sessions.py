"""A session ends after half an hour of inactivity, and after eight hours in any case."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.sessions import ACTIVE_AT, MAX_AGE, MAX_IDLE, STARTED_AT, is_over
from tests.attempts.attempt_rows import create_attempt

PAGE = "/attempts/"


@pytest.fixture
def panel(maria):
    attempt = create_attempt(
        requested_by=maria, action="create_cluster", host="10.0.0.5", address="10.0.0.5:9443", request={}
    )
    return reverse("live:panel", args=[attempt.pk])


def age(browser, **stamps):
    """Move the timestamps of the session into the past."""
    session = browser.session
    for name, span in stamps.items():
        session[name] -= span.total_seconds()
    session.save()


def is_admitted(browser, page=PAGE):
    return browser.get(page).status_code == 200


def test_an_active_session_continues(browser_of_maria):
    assert is_admitted(browser_of_maria)
    for _ in range(3):
        age(browser_of_maria, **{ACTIVE_AT: MAX_IDLE - timedelta(minutes=1)})

        assert is_admitted(browser_of_maria)


def test_half_an_hour_of_inactivity_ends_a_session(browser_of_maria):
    assert is_admitted(browser_of_maria)
    cookie = browser_of_maria.cookies[settings.SESSION_COOKIE_NAME].value
    age(browser_of_maria, **{ACTIVE_AT: MAX_IDLE + timedelta(seconds=1)})

    answer = browser_of_maria.get(PAGE)

    assert (answer.status_code, answer.url) == (302, f"{reverse('access:sign-in')}?next={PAGE}")
    assert not Session.objects.filter(pk=cookie).exists()  # deleted on the server, not only in the browser


def test_eight_hours_end_an_active_session(browser_of_maria):
    assert is_admitted(browser_of_maria)
    age(browser_of_maria, **{STARTED_AT: MAX_AGE + timedelta(seconds=1)})

    assert not is_admitted(browser_of_maria)


def test_background_requests_do_not_extend_a_session(browser_of_maria, panel):
    assert is_admitted(browser_of_maria)
    age(browser_of_maria, **{ACTIVE_AT: MAX_IDLE - timedelta(minutes=1)})
    before = browser_of_maria.session[ACTIVE_AT]

    assert is_admitted(browser_of_maria, panel)

    assert browser_of_maria.session[ACTIVE_AT] == before
    age(browser_of_maria, **{ACTIVE_AT: timedelta(minutes=2)})
    assert not is_admitted(browser_of_maria, panel)


def test_activity_is_saved_once_a_minute(browser_of_maria):
    assert is_admitted(browser_of_maria)
    first = browser_of_maria.session[ACTIVE_AT]

    assert is_admitted(browser_of_maria)
    assert browser_of_maria.session[ACTIVE_AT] == first
    age(browser_of_maria, **{ACTIVE_AT: timedelta(minutes=2)})
    assert is_admitted(browser_of_maria)

    assert browser_of_maria.session[ACTIVE_AT] >= first


def test_signing_in_again_starts_a_new_session(client, maria, password):
    client.force_login(maria)
    assert is_admitted(client)
    age(client, **{STARTED_AT: MAX_AGE + timedelta(seconds=1)})
    assert not is_admitted(client)

    client.post(reverse("access:sign-in"), {"username": "maria", "password": password})

    assert is_admitted(client)
    assert client.session[STARTED_AT] > timezone.now().timestamp() - 60


def test_a_session_without_timestamps_is_not_over(client, maria):
    client.force_login(maria)

    assert not is_over(client.session)


@pytest.mark.parametrize(
    ("https", "names"), [("true", "__Host-sessionid __Host-csrftoken"), ("false", "sessionid csrftoken")]
)
def test_cookies_have_the_host_prefix_under_https(https, names):
    show = "from django.conf import settings; print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "SETUP_WIZARD_HTTPS": https}

    told = subprocess.run(
        [sys.executable, "-c", show], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == names
