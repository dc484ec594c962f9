"""The pictures: their numbers are those of the list, and each bar leads to its own attempts."""

import re
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from html import unescape
from math import ceil
from random import Random
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.history.figures import OUTCOMES, figures
from setup_wizard.history.search import Search
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db

URL = "/attempts/figures/"
SEEDS = (1, 2, 3)
VERSIONS = ("8.0.6-54", "7.22.0-28", "")
CODES = ("access_denied", "path_error", "made_up_by_a_node", "")
REASONS = (Reason.UNREACHABLE, Reason.NODE_ERROR, Reason.NONE)


@pytest.fixture
def jonas(db):
    return assign(User.objects.create_user("jonas"), Role.OPERATOR)


@pytest.fixture
def random_attempts(maria, jonas):
    """Attempts of 20 days in every combination, at midnight too, and some that are still open."""

    def add(seed):
        draw = Random(seed)
        midnight = datetime.combine(timezone.now().date(), time.min, UTC)
        for number in range(150):
            state = draw.choice([*OUTCOMES, *OUTCOMES, State.IN_PROGRESS, State.NEEDS_OPERATOR])
            failed = state is State.FAILED
            attempt = add_attempt(
                draw.choice([maria, jonas]),
                f"10.0.0.{number}:9443",
                state=state,
                action=draw.choice([*Action]),
                software_version=draw.choice(VERSIONS),
                error_code=draw.choice(CODES) if failed else "",
                reason=draw.choice(REASONS) if failed else "",
                took=draw.randint(1, 9000) / 100,
            )
            second = draw.choice([0, 86399.999, draw.randrange(86400)])
            at = midnight - timedelta(days=draw.randrange(21)) + timedelta(seconds=second)
            ended = at + timedelta(seconds=attempt.duration) if attempt.ended_at else None
            Attempt.objects.filter(pk=attempt.pk).update(created_at=at, started_at=at, ended_at=ended)
        return [*Attempt.objects.all()]

    return add


def listed(url, reader):
    """The attempts that the list shows at this URL."""
    assert url.startswith("/attempts/?")
    search = Search.parse(dict(parse_qsl(url.partition("?")[2])))
    return set(search.attempts(reader))


@pytest.mark.parametrize("days", [7, 30])
@pytest.mark.parametrize("seed", SEEDS)
def test_each_bar_leads_to_exactly_its_attempts(random_attempts, maria, seed, days):
    attempts = random_attempts(seed)

    found = figures({"days": str(days)}, reader=maria)

    ended = [each for each in attempts if each.ended_at and found.first <= each.created_at.date() <= found.last]
    for day in found.days:
        for state, bar in zip(OUTCOMES, day.bars, strict=True):
            behind = {each for each in ended if each.created_at.date() == day.day and each.state == state}
            assert listed(bar.url, maria) == behind
            assert bar.count == len(behind)
    failed = [each for each in ended if each.state == State.FAILED]
    expected = Counter(each.error_code or Reason(each.reason).label for each in failed)
    assert {bar.label: bar.count for bar in found.failures} == expected
    for bar in found.failures:
        assert listed(bar.url, maria) == {
            each for each in failed if (each.error_code or Reason(each.reason).label) == bar.label
        }
    succeeded = [each for each in ended if each.state == State.SUCCEEDED]
    for each in found.durations:
        behind = {
            one for one in succeeded if (Action(one.action).label, one.software_version) == (each.action, each.version)
        }
        assert listed(each.bar.url, maria) == behind
        assert each.bar.count == len(behind)
    assert found.total == len(ended) == len([one for one in listed(found.url, maria) if one.ended_at])
    assert sum(bar.count for bar in found.failures) == len(failed)
    assert sum(each.bar.count for each in found.durations) == len(succeeded) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_durations_are_those_of_the_attempts(random_attempts, maria, seed):
    random_attempts(seed)

    found = figures({}, reader=maria)

    for each in found.durations:
        took = sorted(one.duration for one in listed(each.bar.url, maria))
        if len(took) < 5:
            assert each.usual is None
            continue
        assert each.usual.median == pytest.approx(took[ceil(len(took) / 2) - 1], abs=0.06)
        assert each.usual.nine_of_ten == pytest.approx(took[ceil(0.9 * len(took)) - 1], abs=0.06)
    assert any(each.usual for each in found.durations)


def test_who_sees_only_their_own_attempts_sees_figures_of_these(random_attempts, jonas, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    attempts = random_attempts(1)

    found = figures({}, reader=jonas)

    assert found.total == len([each for each in attempts if each.ended_at and each.requested_by == jonas])


def test_the_bars_fill_the_picture_and_lie_on_each_other(random_attempts, maria):
    random_attempts(1)

    found = figures({}, reader=maria)

    assert max(sum(bar.height for bar in day.bars) for day in found.days) == pytest.approx(100, abs=0.1)
    for day in found.days:
        below = 100.0
        for bar in day.bars:
            assert bar.y + bar.height == pytest.approx(below, abs=0.1)
            assert 0 <= bar.x < bar.x + bar.width <= found.width
            below = bar.y


@pytest.fixture
def look(client, maria):
    client.force_login(maria)
    return lambda query="": re.sub(r"\s+", " ", unescape(client.get(f"{URL}{query}").content.decode()))


def test_the_page_has_each_number_as_text_with_its_link(look, random_attempts, maria, client):
    random_attempts(1)
    found = figures({}, reader=maria)

    page = look()

    for day in found.days:
        for bar in day.bars:
            if bar.count:
                assert f'<td><a href="{bar.url}">{bar.count}</a></td>' in page
                assert f"<title>{bar.label}</title>" in page
    for bar in [*found.failures, *(each.bar for each in found.durations)]:
        assert f'<a href="{bar.url}">{bar.count}</a>' in page
        assert f">{bar.count} attempt" in client.get(bar.url).content.decode()


def test_too_few_successes_have_no_median_and_no_bar_that_is_explained(look, maria):
    for _ in range(4):
        add_attempt(maria)
    few = look()

    add_attempt(maria)

    enough = look()
    assert "too few attempts (5 needed)" in few
    assert "The dark bar" not in few
    assert "The dark bar is the median" in enough


def test_earlier_days_are_one_click_away(look, random_attempts):
    random_attempts(1)
    today = timezone.now().date()

    page = look("?days=7")
    earlier = re.search(rf'href="{URL}(\?days=7&to=[^"]+)" rel="prev"', page)[1]

    assert earlier == f"?days=7&to={today - timedelta(days=7)}"
    assert f'href="{URL}?days=7" rel="next"' in look(earlier)
    assert 'rel="next"' not in page


@pytest.mark.parametrize(
    "query", ["?days=0", "?days=x&to=y", "?to=0001-01-01", "?to=9999-12-31", "?days=30&to=2026-02-30"]
)
def test_no_query_breaks_the_page(look, query):
    assert "No attempt ended in these days." in look(query)


def test_more_attempts_take_no_more_queries(look, maria, random_attempts):
    add_attempt(maria)
    look()
    with CaptureQueriesContext(connection) as few:
        look()
    random_attempts(1)

    with CaptureQueriesContext(connection) as many:
        look()

    assert len(many) == len(few)
