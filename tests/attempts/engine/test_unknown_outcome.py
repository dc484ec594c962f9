"""A request whose answer was lost is looked into, and sent once more at most."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import engine, timing
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, ReducerState
from setup_wizard.attempts.observations import AnswerLost
from setup_wizard.attempts.states import Reason, State
from tests.attempts.conftest import follow, kinds, tick, to_the_post
from tests.attempts.engine.other_certificates import idle
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db


class TestTheDroppedAnswer:
    @pytest.mark.parametrize("way", ["reset", "502"])
    def test_it_is_found_out_and_adopted_and_never_sent_twice(self, start, tmp_path, way):
        with start_node(tmp_path / "node", faults=[f"drop-answer={way}"]) as node:
            attempt = follow(start(node))

            assert attempt.status is State.SUCCEEDED
            assert {"unknown", "attributed"} <= set(kinds(attempt))
            assert "accepted" not in kinds(attempt)
            posts = [line for line in node.requests() if line["path"] == "/v1/bootstrap/create_cluster"]
            assert len(posts) == len(node.accepted()) == 1

    def test_a_post_that_is_held_longer_than_we_wait_is_adopted_when_it_counts(self, start, tmp_path):
        with start_node(tmp_path / "node", faults=["hold-post=9"]) as node:
            attempt = follow(start(node))

            assert attempt.status is State.SUCCEEDED
            assert {"unknown", "attributed"} <= set(kinds(attempt))
            assert len(node.accepted()) == 1

    def test_a_worker_that_dies_after_the_intent_leaves_a_row_that_is_looked_into_not_sent_again(
        self, start, fresh_node
    ):
        attempt = to_the_post(start(fresh_node))
        lease = engine.claim(attempt.pk)
        seen = engine.exchange(lease)  # the answer arrives, and the worker is killed before it is recorded
        attempt.refresh_from_db()
        assert attempt.status is State.SUBMITTING

        Attempt.objects.update(lease_expires_at=timezone.now())
        attempt = follow(attempt)

        assert attempt.status is State.SUCCEEDED
        assert {"resumed", "attributed"} <= set(kinds(attempt))
        assert len(fresh_node.accepted()) == 1
        with pytest.raises(engine.LeaseLost):
            engine.record(lease, seen)

    def test_one_that_never_arrived_is_sent_once_more_by_itself(self, start, fresh_node):
        attempt = follow(self.lost(start(fresh_node), fresh_node))

        assert attempt.status is State.SUCCEEDED
        assert kinds(attempt).count("submitting") == 2
        assert "resubmitting" in kinds(attempt)
        assert len(fresh_node.accepted()) == 1

    def test_a_second_one_that_never_arrived_rests_and_is_sent_again_only_on_request(self, start, fresh_node, maria):
        attempt = self.lost(start(fresh_node), fresh_node)
        ReducerState.objects.update(resubmits=1)

        attempt = follow(attempt)
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert attempt.choices[0] is Choice.SEND_AGAIN
        assert fresh_node.accepted() == []

        engine.choose(attempt.pk, Choice.SEND_AGAIN, by=maria)
        assert follow(attempt).status is State.SUCCEEDED
        assert len(fresh_node.accepted()) == 1

    def test_a_clock_that_jumps_at_every_look_brings_the_second_sending_no_nearer(self, start, fresh_node):
        attempt = self.lost(start(fresh_node), fresh_node, settle_time=0)

        for _ in range(5):  # of ten seconds each, if the clock alone were believed
            ReducerState.objects.update(last_asked_at=timezone.now() - timedelta(hours=1))
            tick(attempt)

        assert (attempt.status, attempt.submits) == (State.UNKNOWN, 1)
        assert attempt.reducer_state.settle_time < timing.SETTLE_STEP.total_seconds()

    def lost(self, attempt, node, settle_time=20):
        """Its intent is written, its request never leaves, and so much of the quiet time is over."""
        to_the_post(attempt)
        lease = engine.claim(attempt.pk)
        engine.lease.commit_intent(lease, idle(node))
        engine.record(lease, AnswerLost())
        ReducerState.objects.update(settle_time=settle_time)
        return attempt
