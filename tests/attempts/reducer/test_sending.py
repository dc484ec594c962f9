"""Before the POST, and what its answer means."""

from datetime import timedelta

import pytest

from setup_wizard.attempts import timing
from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterBusy,
    ClusterFree,
    CredentialsMissing,
    Forbidden,
    Misbehaved,
    NotSent,
    Redirected,
    Rejected,
    SignInWanted,
    Silent,
    UnapprovedCertificate,
    Unsupported,
)
from setup_wizard.attempts.reducer import decide, expire, may_submit
from setup_wizard.attempts.states import Reason, State
from tests.attempts.reducer.cases import BEFORE, NOW, STRANGE, checking, seen, sent, snapshot, through


class TestQueue:
    def test_free_cluster_ends_the_queue(self):
        outcome = decide(snapshot(State.QUEUED, started_at=None, deadline_at=None), ClusterFree(), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.started_at, outcome.wait) == (State.CHECKING, NOW, 0)

    def test_busy_cluster_keeps_the_attempt_queued_with_one_event(self):
        queued = snapshot(State.QUEUED, started_at=None, deadline_at=None)

        waiting, kinds = through(queued, ClusterBusy("10.0.0.5:9443"), ClusterBusy("10.0.0.5:9443"))

        assert (waiting.state, waiting.blocked_by, kinds) == (State.QUEUED, "10.0.0.5:9443", ["waiting"])

    def test_deadline_does_not_run_in_the_queue(self):
        queued = snapshot(State.QUEUED, started_at=None, deadline_at=None)

        assert expire(queued, NOW + timedelta(days=2)) is None


class TestBeforeThePost:
    @pytest.mark.parametrize("word", ["idle", "error"])
    def test_post_needs_a_state_that_accepts_a_bootstrap(self, word):
        assert may_submit(checking(), seen(word).status)

    @pytest.mark.parametrize(
        "word", ["initiated", "creating_cluster", "joining_cluster", "recovering_cluster", "completed", "polishing"]
    )
    def test_post_is_not_allowed_in_any_other_state(self, word):
        assert not may_submit(checking(), seen(word).status)

    @pytest.mark.parametrize("phase", ["dns", "connect", "tls", "request", "answer", "HTTP 503"])
    def test_silent_node_is_polled_before_the_post(self, phase):
        waiting, kinds = through(checking(), Silent(phase), Silent(phase))

        assert (waiting.state, waiting.silent_phase, kinds) == (State.CHECKING, phase, ["silent"])

    def test_pauses_grow_to_fifteen_seconds(self):
        waits, attempt, now = [], checking(), NOW
        for _ in range(8):
            outcome = decide(attempt, Silent("connect"), now)
            waits.append(outcome.wait)
            attempt, now = outcome.snapshot, now + timedelta(seconds=outcome.wait)

        assert waits == [1, 1, 2, 4, 8, 15, 15, 15]

    def test_silent_node_fails_the_attempt_after_five_minutes(self):
        waiting = checking(silent_since=NOW - timing.UNREACHABLE_AFTER, silent_phase="connect")

        outcome = decide(waiting, Silent("tls"), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, Reason.UNREACHABLE)
        assert outcome.events[-1].data["phase"] == "tls"

    @pytest.mark.parametrize(
        ("observation", "reason"),
        [
            (Misbehaved("no bootstrap_status"), Reason.NOT_A_NODE),
            (Redirected(302, "https://portal.example.com"), Reason.REDIRECTED),
            (Forbidden("169.254.169.254 is not allowed"), Reason.FORBIDDEN_ADDRESS),
            (SignInWanted(), Reason.ALREADY_IN_CLUSTER),
            (seen("completed", BEFORE), Reason.ALREADY_IN_CLUSTER),
            (CredentialsMissing(), Reason.SECRET_UNAVAILABLE),
        ],
    )
    def test_unusable_answer_before_the_post_fails_with_its_reason(self, observation, reason):
        outcome = decide(checking(), observation, NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, reason)
        assert outcome.snapshot.ended_at == NOW

    @pytest.mark.parametrize("word", ["initiated", "creating_cluster", "joining_cluster", "polishing"])
    def test_running_bootstrap_before_the_post_waits_for_the_operator(self, word):
        outcome = decide(checking(), seen(word, BEFORE), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
        assert outcome.snapshot.node_state == word
        assert not outcome.snapshot.reason.keeps_credentials

    def test_other_certificate_before_the_post_waits_for_the_operator(self):
        shown = UnapprovedCertificate({"fingerprint": STRANGE, "subject": "CN=other"})

        outcome = decide(checking(accept_new_certificate=True), shown, NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.NEEDS_OPERATOR, Reason.TRUST)
        assert outcome.snapshot.seen_certificate["fingerprint"] == STRANGE
        assert Choice.APPROVE_CERTIFICATE in choices_of(outcome.snapshot.reason)


class TestAnswerToThePost:
    def test_accepted_post_is_in_progress(self):
        attempt, kinds = through(sent(State.SUBMITTING), Accepted())

        assert (attempt.state, kinds) == (State.IN_PROGRESS, ["accepted"])

    def test_lost_answer_is_an_unknown_outcome(self):
        attempt, kinds = through(sent(State.SUBMITTING), AnswerLost("NodeUnreachable"))

        assert (attempt.state, kinds) == (State.UNKNOWN, ["unknown"])

    def test_intent_that_is_too_old_is_undone(self):
        attempt, kinds = through(sent(State.SUBMITTING), NotSent())

        assert (attempt.state, attempt.submits, attempt.submit_intent_at) == (State.CHECKING, 0, None)
        assert kinds == ["not_sent"]

    @pytest.mark.parametrize(
        ("observation", "reason"),
        [
            (Rejected(307, location="https://elsewhere.example.com"), Reason.REDIRECTED),
            (Unsupported(404), Reason.UNSUPPORTED_ACTION),
        ],
    )
    def test_refusal_of_the_post_fails_with_its_reason(self, observation, reason):
        outcome = decide(sent(State.SUBMITTING), observation, NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, reason)
