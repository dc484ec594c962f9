"""One open attempt per node, and one join per cluster at a time."""

import pytest
from django.db import IntegrityError, transaction

from setup_wizard.attempts import engine
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from tests.attempts.conftest import follow, tick
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


class TestOneAtATime:
    def test_second_start_of_a_node_is_refused(self, start, fresh_node):
        first = start(fresh_node)

        with pytest.raises(engine.NodeBusy) as refusal:
            start(fresh_node)
        assert refusal.value.attempt == first
        assert Attempt.objects.count() == 1

    def test_database_forbids_two_open_attempts_of_a_node(self, start, fresh_node):
        attempt = start(fresh_node)
        attempt.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            attempt.save(force_insert=True)

    def test_joins_of_one_cluster_run_one_after_the_other(self, start, fresh_node, tmp_path):
        follow(start(fresh_node))
        with start_node(tmp_path / "second") as second, start_node(tmp_path / "third") as third:
            running = start(second, member=fresh_node)
            follow(running, until=lambda attempt: attempt.status is State.IN_PROGRESS)
            waiting = start(third, member=fresh_node)

            follow(waiting, until=lambda attempt: attempt.blocked_by)
            assert (waiting.status, waiting.blocked_by) == (State.QUEUED, second.address)
            assert third.accepted() == []

            follow(running)
            assert follow(waiting).status is State.SUCCEEDED
            assert len(third.accepted()) == 1

    def test_join_through_another_member_waits_too(self, start, fresh_node, tmp_path):
        follow(start(fresh_node))
        with start_node(tmp_path / "second") as second, start_node(tmp_path / "third") as third:
            follow(start(second, member=fresh_node))
            with start_node(tmp_path / "fourth") as fourth:
                running = start(third, member=fresh_node)
                follow(running, until=lambda attempt: attempt.status is State.CHECKING)
                waiting = follow(start(fourth, member=second), until=lambda attempt: attempt.blocked_by)

                assert (waiting.status, waiting.blocked_by) == (State.QUEUED, running.address)

    def test_two_clusters_do_not_wait_for_each_other(self, start, fresh_node, tmp_path):
        with start_node(tmp_path / "elsewhere") as elsewhere:
            tick(start(fresh_node))
            other = start(elsewhere)
            Attempt.objects.filter(pk=other.pk).update(
                cluster_keys=[key.replace("redis-prod", "redis-test") for key in other.cluster_keys]
            )
            other.refresh_from_db()

            tick(other)

            assert other.status is State.CHECKING
