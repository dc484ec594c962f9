"""What is usual: how long similar attempts took, and what a page says about an attempt that takes longer."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from setup_wizard.attempts.durations import Usual, usual, usual_among
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from tests.attempts.attempt_rows import add_attempt

VERSION = "8.0.6-54"


def test_usual_needs_five_samples():
    assert usual_among([16.0] * 4) is None
    assert usual_among([16.0] * 5) == Usual(16.0, 16.0)


def test_nine_of_ten_took_no_longer_than_it_says():
    seconds = [float(each) for each in range(1, 21)]

    found = usual_among(seconds)

    assert found == Usual(10.5, 18.0)
    assert sum(each <= found.nine_of_ten for each in seconds) == 18


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Usual(16.2, 40.7), "usually 16 s, 9 of 10 under 41 s"),
        (Usual(16.2, 41.0), "usually 16 s, 9 of 10 under 42 s"),
        (Usual(1.94, 2.2), "usually 1.9 s, 9 of 10 under 3 s"),
        (Usual(70, 130.5), "usually 1 min 10 s, 9 of 10 under 2 min 11 s"),
    ],
)
def test_usual_is_said_in_words(found, words):
    assert found.label == words


@pytest.fixture
def history(maria):
    """Ten successes, and others that are not like them."""
    for number in range(10):
        add_attempt(maria, f"10.0.1.{number}:9443", took=10 + number, software_version=VERSION, minutes_ago=60)
        add_attempt(maria, f"10.0.2.{number}:9443", took=500, software_version="7.4.6-22")
        add_attempt(maria, f"10.0.3.{number}:9443", took=600, software_version=VERSION, action="join_cluster")
        add_attempt(maria, f"10.0.4.{number}:9443", took=700, software_version=VERSION, state=State.FAILED)


def test_usual_counts_successes_of_the_action_and_version(history):
    assert usual(Action.CREATE, VERSION) == Usual(14.5, 18.0)
    assert usual(Action.CREATE, "7.4.6-22") == Usual(500.0, 500.0)
    assert usual(Action.RECOVER, VERSION) is None


@pytest.fixture
def page_of(client, maria, history):
    def read(*, seconds_ago, **fields):
        attempt = add_attempt(maria, state=State.IN_PROGRESS, software_version=VERSION, **fields)
        now = timezone.now()
        started = now - timedelta(seconds=seconds_ago)
        Attempt.objects.filter(pk=attempt.pk).update(
            created_at=started, started_at=started, deadline_at=started + timedelta(minutes=30)
        )
        client.force_login(maria)
        text = unescape(client.get(reverse("live:detail", args=[attempt.pk])).content.decode())
        return re.sub(r"\s+", " ", text)

    return read


def test_page_says_what_is_usual_and_the_time_left(page_of):
    text = re.sub(r"<[^>]+>", "", page_of(seconds_ago=5))

    assert re.search(r"usually 14 s, 9 of 10 under 19 s, now [56] s", text)
    assert "29 min to the deadline" in text


@pytest.mark.parametrize(("seconds", "is_shown"), [(5, False), (40, True)])
def test_deadline_is_shown_once_it_takes_longer_than_usual(page_of, seconds, is_shown):
    assert is_deadline_shown(page_of(seconds_ago=seconds)) is is_shown


@pytest.mark.parametrize(("seconds", "is_shown"), [(5, False), (70, True)])
def test_deadline_is_shown_after_a_minute_where_nothing_is_usual(page_of, seconds, is_shown):
    assert is_deadline_shown(page_of(seconds_ago=seconds, action="recover_cluster")) is is_shown


def is_deadline_shown(text):
    """Whether the time to the deadline stands on the page, now or, hidden, for the script."""
    return not re.search(r'<span data-from="[^"]+"( hidden)?> · <time data-until', text)[1]


def test_page_says_what_to_check_once_it_takes_longer(page_of):
    in_time, late = (page_of(seconds_ago=seconds, address=f"10.0.0.{seconds}:9443") for seconds in (5, 40))

    assert re.search(r'<section [^>]*aria-labelledby="late"[^>]* hidden>', in_time)
    section = re.search(r'<section [^>]*aria-labelledby="late"[^>]*>.*?</section>', late)[0]
    assert " hidden>" not in section
    assert "9 of 10 took under 19 s" in section
    assert "<code>supervisorctl status</code>" in section


def test_page_says_nothing_is_usual_without_samples(client, maria):
    attempt = add_attempt(maria, state=State.IN_PROGRESS)
    client.force_login(maria)

    text = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()

    assert "usually" not in text
    assert 'aria-labelledby="late"' not in text
