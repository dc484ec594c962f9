"""What workers measure ends up in the rows, whoever counted it."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from setup_wizard.attempts.models import Attempt
from setup_wizard.monitoring import histograms
from setup_wizard.monitoring.histograms import EXCHANGE, LATENESS
from setup_wizard.monitoring.models import HistogramBucket
from setup_wizard.worker import tasks
from tests.attempts.conftest import follow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted():
    histograms._counted.clear()
    yield
    histograms._counted.clear()


def counted(measure):
    return {(tally.labels, tally.up_to): tally.count for tally in HistogramBucket.objects.filter(measure=measure)}


def test_each_value_falls_into_the_bucket_that_holds_it():
    for seconds in (0.0, 0.05, 0.051, 60.0, 60.1):
        histograms.note(LATENESS, "answering", seconds)

    histograms.flush()

    assert counted(LATENESS) == {
        ("answering", 0.05): 2,
        ("answering", 0.1): 1,
        ("answering", 60.0): 1,
        ("answering", histograms.BEYOND): 1,
    }
    assert sum(tally.seconds for tally in HistogramBucket.objects.all()) == pytest.approx(120.201)


def test_what_several_processes_count_is_added_up():
    for _ in range(3):
        histograms.note(LATENESS, "silent", 0.2)
        histograms.flush()

    assert counted(LATENESS) == {("silent", 0.25): 3}


def test_what_could_not_be_written_is_written_later(monkeypatch):
    def lose(*_):
        raise OperationalError

    histograms.note(LATENESS, "silent", 0.2)
    with monkeypatch.context() as away:
        away.setattr(histograms, "_add", lose)  # the database, not a part of ours
        with pytest.raises(OperationalError):
            histograms.flush()
    histograms.note(LATENESS, "silent", 0.2)

    histograms.flush()

    assert counted(LATENESS) == {("silent", 0.25): 2}


def test_a_tick_counts_how_late_it_was_and_how_long_the_node_took(fresh_node, start):
    attempt = start(fresh_node)
    Attempt.objects.update(next_tick_at=timezone.now() - timedelta(seconds=3))

    tasks.tick(str(attempt.pk))  # the one that leaves the queue asks no node
    histograms.flush()
    assert counted(LATENESS) == {("answering", 5.0): 1}
    assert counted(EXCHANGE) == {}

    for _ in ("check", "submit"):
        Attempt.objects.update(next_tick_at=timezone.now())
        tasks.tick(str(attempt.pk))
    follow(attempt, until=lambda attempt: attempt.state == "in_progress")
    Attempt.objects.update(next_tick_at=timezone.now())
    tasks.tick(str(attempt.pk))
    histograms.flush()
    assert {labels for labels, _ in counted(EXCHANGE)} == {"check sound", "submit accepted", "look seen"}
