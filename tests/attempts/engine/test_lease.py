"""One worker at a time has an attempt, and whoever was replaced writes and sends nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import engine
from setup_wizard.attempts.engine import schedule
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import ClusterFree
from tests.attempts.conftest import kinds, tick, to_the_post

pytestmark = pytest.mark.django_db


class TestTheLease:
    def test_only_one_of_two_workers_gets_the_attempt(self, start, fresh_node):
        attempt = start(fresh_node)

        assert engine.claim(attempt.pk) is not None
        assert engine.claim(attempt.pk) is None

    def test_an_attempt_that_is_not_due_is_left_alone(self, start, fresh_node):
        attempt = start(fresh_node)
        Attempt.objects.update(next_tick_at=timezone.now() + timedelta(minutes=1))

        assert engine.claim(attempt.pk) is None

    def test_a_worker_that_was_replaced_changes_nothing(self, start, fresh_node):
        attempt = start(fresh_node)
        slow = engine.claim(attempt.pk)
        Attempt.objects.update(lease_expires_at=timezone.now())
        engine.record(engine.claim(attempt.pk), ClusterFree())

        with pytest.raises(engine.LeaseLost):
            engine.record(slow, ClusterFree())

        attempt.refresh_from_db()
        assert kinds(attempt) == ["started", "resumed", "checking"]

    def test_a_worker_that_was_replaced_sends_nothing(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        slow = engine.claim(attempt.pk)
        Attempt.objects.update(lease_token=99)

        with pytest.raises(engine.LeaseLost):
            engine.exchange(slow)

        assert fresh_node.accepted() == []
        assert "/v1/bootstrap/create_cluster" not in {line["path"] for line in fresh_node.requests()}

    def test_after_the_clock_was_put_back_nothing_waits_for_it_to_come_round(self, start, fresh_node):
        attempt = start(fresh_node)
        an_hour_ahead = timezone.now() + timedelta(hours=1)
        Attempt.objects.update(next_tick_at=an_hour_ahead, lease_expires_at=an_hour_ahead, rung_at=an_hour_ahead)

        assert list(schedule.due(timezone.now())) == [attempt.pk]
        assert engine.claim(attempt.pk) is not None

    def test_the_token_only_grows(self, start, fresh_node):
        attempt, tokens = start(fresh_node), []
        while attempt.status.is_moving:
            tick(attempt)
            tokens.append(attempt.lease_token)
            if len(tokens) > 5:
                break

        assert tokens == sorted(set(tokens))

    def test_an_answer_without_news_moves_only_the_time_of_asking(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        tick(attempt), tick(attempt)
        before, asked = attempt.last_seq, attempt.last_asked_at

        tick(attempt)

        assert attempt.last_asked_at > asked
        assert attempt.last_seq - before <= 1
