"""Failing or late ticks never block an attempt, a node or a cluster forever."""

from datetime import timedelta

import pytest
from django.db import DataError
from django.utils import timezone

from setup_wizard.attempts import engine, locks, timing, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import LONGEST_KEY, Attempt, ClusterLock
from setup_wizard.attempts.observations import Silent
from setup_wizard.attempts.states import Reason, State
from setup_wizard.worker import schedule, tasks
from tests.attempts.conftest import follow, kinds, tick, to_the_post

pytestmark = pytest.mark.django_db


def break_steps(attempt, times):
    """Run a tick of an attempt whose stored request cannot be read."""
    for _ in range(times):
        Attempt.objects.filter(pk=attempt.pk).update(next_tick_at=timezone.now())
        with pytest.raises(ValueError, match="action"):
            tasks.tick(str(attempt.pk))
    attempt.refresh_from_db()
    return attempt


def spoil(attempt):
    Attempt.objects.filter(pk=attempt.pk).update(request={"action": "no such action"})


class TestFailedTicks:
    def test_failed_tick_is_retried_with_growing_pauses(self, start, fresh_node):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.state == "checking")
        spoil(attempt)

        first = break_steps(attempt, 1)
        waits = [first.next_tick_at - timezone.now()]
        third = break_steps(attempt, 2)
        waits.append(third.next_tick_at - timezone.now())

        assert third.status is State.CHECKING
        assert not third.lease_held
        assert waits[0] < waits[1] < timedelta(seconds=timing.LONGEST_RETRY_PAUSE)
        told = third.events.filter(kind="step_failed").last()
        assert "action" not in str(told.data)  # the name of what was raised, not its words

    def test_failed_ticks_end_an_attempt_that_sent_nothing(self, start, fresh_node):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.state == "checking")
        spoil(attempt)

        attempt = break_steps(attempt, timing.MAX_FAILED_TICKS)

        assert (attempt.status, attempt.why) == (State.FAILED, Reason.FAULT)
        assert "was not changed" in explain(attempt).meaning
        assert vault.expires_at(attempt.pk) <= timezone.now() + timing.RETRY_SECRET_LIFE
        assert not ClusterLock.objects.exists()
        assert fresh_node.accepted() == []

    def test_failed_ticks_wait_for_the_operator_after_the_request(self, start, fresh_node, maria):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.name_proved)
        whole = attempt.request
        spoil(attempt)

        attempt = break_steps(attempt, timing.MAX_FAILED_TICKS)
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.FAULT)
        assert attempt.choices == (Choice.KEEP_WATCHING, Choice.STOP_WATCHING)
        assert "may have reached" in explain(attempt).meaning

        Attempt.objects.update(request=whole)
        engine.choose(attempt.pk, Choice.KEEP_WATCHING, by=maria)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.failed_ticks) == (State.VERIFYING, 0)

    def test_successful_tick_resets_the_count_of_failed_ticks(self, start, fresh_node):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.state == "checking")
        whole = attempt.request
        spoil(attempt)
        break_steps(attempt, 2)

        Attempt.objects.update(request=whole)

        assert follow(attempt).status is State.SUCCEEDED
        assert attempt.failed_ticks == 0

    def test_failed_tick_does_not_overwrite_a_newer_change(self, start, fresh_node, maria):
        attempt = to_the_post(start(fresh_node))
        slow = engine.claim(attempt.pk)
        engine.choose(attempt.pk, Choice.CANCEL, by=maria)

        with pytest.raises(engine.LeaseLost):
            engine.save_failure(slow, DataError("value too long"))

        attempt.refresh_from_db()
        assert kinds(attempt)[-1] == "cancelled"

    def test_failure_after_the_record_changes_nothing(self, start, fresh_node):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.state == "checking")
        lease = engine.claim(attempt.pk)
        engine.record(lease, Silent("connect"))

        with pytest.raises(engine.LeaseLost):
            engine.save_failure(lease, RuntimeError("after the commit"))


class TestDeadline:
    @pytest.mark.parametrize(("passed", "swept"), [(timing.LEASE, 1), (timing.LEASE / 2, 0)])
    def test_deadline_is_kept_for_an_attempt_claimed_repeatedly(self, start, fresh_node, passed, swept):
        attempt = to_the_post(start(fresh_node))
        now = timezone.now()
        Attempt.objects.update(deadline_at=now - passed, next_tick_at=now)
        engine.claim(attempt.pk)

        assert schedule.sweep(timezone.now()) == swept


class TestClusterLock:
    def test_lock_is_not_taken_for_an_attempt_cancelled_meanwhile(self, start, fresh_node, maria):
        attempt = start(fresh_node)
        slow = engine.claim(attempt.pk)
        engine.choose(attempt.pk, Choice.CANCEL, by=maria)

        with pytest.raises(engine.LeaseLost):
            engine.exchange(slow)

        assert not ClusterLock.objects.exists()

    def test_lock_of_an_ended_attempt_is_released_by_the_sweep(self, start, fresh_node, maria):
        attempt = start(fresh_node)
        engine.choose(attempt.pk, Choice.CANCEL, by=maria)
        ClusterLock.objects.bulk_create(ClusterLock(key=key, attempt=attempt) for key in attempt.cluster_keys)

        schedule.sweep(timezone.now())

        second = start(fresh_node)
        tick(second)
        assert second.status is State.CHECKING

    def test_lock_fits_a_name_that_grows_in_lower_case(self, start, fresh_node):
        attempt = start(fresh_node)

        keys = locks.with_name(attempt.cluster_keys, "İ" * 255)

        assert max(map(len, keys)) == LONGEST_KEY


class TestChoice:
    def test_choice_is_checked_again_after_a_worker_was_faster(self, start, fresh_node, maria):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.state == "in_progress")
        stale = Attempt.objects.get(pk=attempt.pk)
        Attempt.objects.update(next_tick_at=timezone.now())
        engine.record(engine.claim(attempt.pk), Silent("answer"))

        before = engine.lease.snapshot_of(stale)
        stale.lease_token += 1  # what the claim did; the rest of it is as it was before the record
        with pytest.raises(engine.LeaseLost):
            engine.lease.write(stale, before, (engine.lease.NewEvent("cancelled", "too late"),))

        assert engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria).status is State.CANCELLED
