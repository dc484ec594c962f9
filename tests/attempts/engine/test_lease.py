"""One worker at a time holds an attempt; a replaced worker writes and sends nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import engine, timing
from setup_wizard.attempts.engine.lease import save_decision, snapshot_of
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import ClusterFree, Silent
from setup_wizard.attempts.reducer import Decision
from setup_wizard.worker import schedule
from tests.attempts.conftest import kinds, tick, to_the_post

pytestmark = pytest.mark.django_db


class TestLease:
    def test_only_one_of_two_workers_claims_the_attempt(self, start, fresh_node):
        attempt = start(fresh_node)

        assert engine.claim(attempt.pk) is not None
        assert engine.claim(attempt.pk) is None

    def test_worker_with_an_earlier_clock_claims_nothing(self, start, fresh_node):
        attempt = start(fresh_node)
        held = engine.claim(attempt.pk)
        # as if the holder had read the clock a second after the worker that asks now
        Attempt.objects.update(lease_expires_at=timezone.now() + timing.LEASE + timedelta(seconds=1))

        assert engine.claim(attempt.pk) is None
        assert engine.record(held, ClusterFree()).state == "checking"

    def test_attempt_that_is_not_due_is_not_claimed(self, start, fresh_node):
        attempt = start(fresh_node)
        Attempt.objects.update(next_tick_at=timezone.now() + timedelta(minutes=1))

        assert engine.claim(attempt.pk) is None

    def test_worker_that_was_replaced_changes_nothing(self, start, fresh_node):
        attempt = start(fresh_node)
        slow = engine.claim(attempt.pk)
        Attempt.objects.update(lease_expires_at=timezone.now())
        engine.record(engine.claim(attempt.pk), ClusterFree())

        with pytest.raises(engine.LeaseLost):
            engine.record(slow, ClusterFree())

        attempt.refresh_from_db()
        assert kinds(attempt) == ["started", "resumed", "checking"]

    def test_stale_row_never_overwrites_a_tick_without_events(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        tick(attempt)
        for phase in ("connect", "tls"):  # the second is no news any more
            Attempt.objects.update(next_tick_at=timezone.now())
            held = engine.claim(attempt.pk)
            attempt.refresh_from_db()
            recorded = engine.record(held, Silent(phase))

        with pytest.raises(engine.LeaseLost):
            save_decision(attempt, snapshot_of(attempt), Decision(snapshot_of(attempt)), timezone.now())

        assert recorded.last_seq == attempt.last_seq
        attempt.refresh_from_db()
        assert (attempt.silent_phase, attempt.reducer_state.last_asked_at) == (
            "tls",
            recorded.reducer_state.last_asked_at,
        )

    def test_message_during_a_tick_is_consumed_by_it(self, start, fresh_node):
        attempt = start(fresh_node)
        held = engine.claim(attempt.pk)
        Attempt.objects.update(enqueued_at=timezone.now())

        engine.record(held, ClusterFree())

        attempt.refresh_from_db()
        assert attempt.enqueued_at is None

    def test_worker_that_was_replaced_sends_nothing(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        slow = engine.claim(attempt.pk)
        Attempt.objects.update(lease_token=99)

        with pytest.raises(engine.LeaseLost):
            engine.exchange(slow)

        assert fresh_node.accepted() == []
        assert "/v1/bootstrap/create_cluster" not in {line["path"] for line in fresh_node.requests()}

    def test_clock_set_back_delays_no_tick(self, start, fresh_node):
        attempt = start(fresh_node)
        an_hour_ahead = timezone.now() + timedelta(hours=1)
        Attempt.objects.update(next_tick_at=an_hour_ahead, lease_expires_at=an_hour_ahead, enqueued_at=an_hour_ahead)

        assert list(schedule.due(timezone.now())) == [attempt.pk]
        assert engine.claim(attempt.pk) is not None

    def test_lease_token_only_grows(self, start, fresh_node):
        attempt, tokens = start(fresh_node), []
        while attempt.status.is_moving:
            tick(attempt)
            tokens.append(attempt.lease_token)
            if len(tokens) > 5:
                break

        assert tokens == sorted(set(tokens))

    def test_unchanged_answer_writes_only_times(self, start, fresh_node):
        attempt = to_the_post(start(fresh_node))
        tick(attempt), tick(attempt)
        before, asked = attempt.last_seq, attempt.reducer_state.last_asked_at

        tick(attempt)

        assert attempt.reducer_state.last_asked_at > asked
        assert attempt.last_seq - before <= 1
