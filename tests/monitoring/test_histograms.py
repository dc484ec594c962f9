"""Measurements of all workers are added up in the database."""

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
def no_counts():
    histograms._counted.clear()
    yield
    histograms._counted.clear()


def counted(measure):
    return {(row.labels, row.up_to): row.count for row in HistogramBucket.objects.filter(measure=measure)}


def test_histogram_puts_each_value_into_its_bucket():
    for seconds in (0.0, 0.05, 0.051, 60.0, 60.1):
        histograms.note(LATENESS, "answering", seconds)

    histograms.flush()

    assert counted(LATENESS) == {
        ("answering", 0.05): 2,
        ("answering", 0.1): 1,
        ("answering", 60.0): 1,
        ("answering", histograms.BEYOND): 1,
    }
    assert sum(row.seconds for row in HistogramBucket.objects.all()) == pytest.approx(120.201)


def test_histogram_adds_up_the_counts_of_several_processes():
    for _ in range(3):
        histograms.note(LATENESS, "silent", 0.2)
        histograms.flush()

    assert counted(LATENESS) == {("silent", 0.25): 3}


def test_histogram_keeps_counts_that_could_not_be_written(monkeypatch):
    def lose(*_):
        raise OperationalError

    histograms.note(LATENESS, "silent", 0.2)
    with monkeypatch.context() as away:
        away.setattr(histograms, "_add", lose)  # stands for the database
        with pytest.raises(OperationalError):
            histograms.flush()
    histograms.note(LATENESS, "silent", 0.2)

    histograms.flush()

    assert counted(LATENESS) == {("silent", 0.25): 2}


def test_tick_measures_its_lateness_and_the_time_of_the_exchange(fresh_node, start):
    attempt = start(fresh_node)
    Attempt.objects.update(next_tick_at=timezone.now() - timedelta(seconds=3))

    tasks.tick(str(attempt.pk))  # the tick that leaves the queue contacts no node
    histograms.flush()
    assert counted(LATENESS) == {("answering", 5.0): 1}
    assert counted(EXCHANGE) == {}

    for _ in ("validate", "submit"):
        Attempt.objects.update(next_tick_at=timezone.now())
        tasks.tick(str(attempt.pk))
    follow(attempt, until=lambda attempt: attempt.state == "in_progress")
    Attempt.objects.update(next_tick_at=timezone.now())
    tasks.tick(str(attempt.pk))
    histograms.flush()
    assert {labels for labels, _ in counted(EXCHANGE)} == {"validate valid", "submit accepted", "poll seen"}
