"""Each attempt that ends is counted once, on the day of its Start."""

from datetime import UTC, datetime

import pytest

from setup_wizard.attempts import daily_sums, engine
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, DailySum
from setup_wizard.attempts.states import State
from tests.attempts.attempt_rows import add_attempt, add_refused

pytestmark = pytest.mark.django_db


def test_an_attempt_is_counted_when_it_ends(start, fresh_node, maria):
    attempt = start(fresh_node)
    assert not DailySum.objects.exists()

    ended = engine.choose(attempt.pk, Choice.CANCEL, by=maria)

    counted = DailySum.objects.get()
    assert (counted.day, counted.action, counted.count) == (attempt.created_at.date(), "create_cluster", 1)
    assert (counted.state, counted.reason, counted.error_code) == ("cancelled", "cancelled", "")
    assert counted.software_version == attempt.facts["software_version"] != ""
    ended.refresh_from_db()
    assert ended.duration == (ended.ended_at - ended.created_at).total_seconds()


def test_attempts_with_the_same_outcome_share_a_row(maria):
    for attempt in (add_attempt(maria), add_attempt(maria), add_refused(maria)):
        daily_sums.add(attempt)

    assert sorted(DailySum.objects.values_list("state", "count")) == [("failed", 1), ("succeeded", 2)]


def test_the_day_is_that_of_the_start_in_utc(maria):
    late = add_attempt(maria)
    late.created_at = datetime.fromisoformat("2026-03-01T00:30:00+01:00")

    daily_sums.add(late)

    assert DailySum.objects.get().day == datetime(2026, 2, 28, tzinfo=UTC).date()


def test_an_open_attempt_has_no_duration(start, fresh_node):
    attempt = start(fresh_node)

    assert Attempt.objects.get(pk=attempt.pk).duration is None
    assert State(attempt.state).is_open
