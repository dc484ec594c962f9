"""A request whose answer was lost is checked and sent at most once more."""

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


class TestLostAnswer:
    @pytest.mark.parametrize("way", ["reset", "502"])
    def test_lost_answer_is_found_and_never_sent_twice(self, start, tmp_path, way):
        with start_node(tmp_path / "node", faults=[f"drop-answer={way}"]) as node:
            attempt = follow(start(node))

            assert attempt.status is State.SUCCEEDED
            assert {"unknown", "attributed"} <= set(kinds(attempt))
            assert "accepted" not in kinds(attempt)
            posts = [line for line in node.requests() if line["path"] == "/v1/bootstrap/create_cluster"]
            assert len(posts) == len(node.accepted()) == 1

    def test_late_post_counts_as_accepted(self, start, tmp_path):
        with start_node(tmp_path / "node", faults=["hold-post=9"]) as node:
            attempt = follow(start(node))

            assert attempt.status is State.SUCCEEDED
            assert {"unknown", "attributed"} <= set(kinds(attempt))
            assert len(node.accepted()) == 1

    def test_worker_killed_after_the_intent_leads_to_polls_only(self, start, fresh_node):
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

    def test_request_that_never_arrived_is_sent_once_more(self, start, fresh_node):
        attempt = follow(self.lost(start(fresh_node), fresh_node))

        assert attempt.status is State.SUCCEEDED
        assert kinds(attempt).count("submitting") == 2
        assert "resubmitting" in kinds(attempt)
        assert len(fresh_node.accepted()) == 1

    def test_second_lost_request_is_sent_again_only_by_the_operator(self, start, fresh_node, maria):
        attempt = self.lost(start(fresh_node), fresh_node)
        ReducerState.objects.update(resubmits=1)

        attempt = follow(attempt)
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert attempt.choices[0] is Choice.SEND_AGAIN
        assert fresh_node.accepted() == []

        engine.choose(attempt.pk, Choice.SEND_AGAIN, by=maria)
        assert follow(attempt).status is State.SUCCEEDED
        assert len(fresh_node.accepted()) == 1

    def test_jumping_clock_does_not_bring_the_retry_forward(self, start, fresh_node):
        attempt = self.lost(start(fresh_node), fresh_node, settled_for=0)

        for _ in range(5):  # of ten seconds each, if the clock alone were believed
            ReducerState.objects.update(last_asked_at=timezone.now() - timedelta(hours=1))
            tick(attempt)

        assert (attempt.status, attempt.submits) == (State.UNKNOWN, 1)
        assert attempt.reducer_state.settled_for < timing.SETTLE_STEP.total_seconds()

    def lost(self, attempt, node, settled_for=20):
        """An attempt whose request was never sent, with this much of the settle time passed."""
        to_the_post(attempt)
        lease = engine.claim(attempt.pk)
        engine.lease.commit_intent(lease, idle(node))
        engine.record(lease, AnswerLost())
        ReducerState.objects.update(settled_for=settled_for)
        return attempt
