"""Before the POST, and what its answer means: rows of docs/failure-modes.md, one sentence each."""

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
    StrangeCertificate,
    Unsupported,
)
from setup_wizard.attempts.reducer import decide, expire, may_submit
from setup_wizard.attempts.states import Reason, State
from tests.attempts.reducer.cases import BEFORE, NOW, STRANGE, checking, seen, sent, snapshot, through


class TestTheQueue:
    def test_a_free_cluster_lets_it_out(self):
        outcome = decide(snapshot(State.QUEUED, started_at=None, deadline_at=None), ClusterFree(), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.started_at, outcome.wait) == (State.CHECKING, NOW, 0)

    def test_a_busy_one_keeps_it_and_says_for_whom_once(self):
        queued = snapshot(State.QUEUED, started_at=None, deadline_at=None)

        waiting, notes = through(queued, ClusterBusy("10.0.0.5:9443"), ClusterBusy("10.0.0.5:9443"))

        assert (waiting.state, waiting.blocked_by, notes) == (State.QUEUED, "10.0.0.5:9443", ["waiting"])

    def test_its_deadline_does_not_run_while_it_waits(self):
        queued = snapshot(State.QUEUED, started_at=None, deadline_at=None)

        assert expire(queued, NOW + timedelta(days=2)) is None


class TestBeforeThePost:
    @pytest.mark.parametrize("word", ["idle", "error"])
    def test_only_a_node_that_accepts_a_bootstrap_is_sent_one(self, word):
        assert may_submit(checking(), seen(word).status)

    @pytest.mark.parametrize(
        "word", ["initiated", "creating_cluster", "joining_cluster", "recovering_cluster", "completed", "polishing"]
    )
    def test_no_other_word_allows_it(self, word):
        assert not may_submit(checking(), seen(word).status)

    @pytest.mark.parametrize("phase", ["dns", "connect", "tls", "request", "answer", "HTTP 503"])
    def test_a_node_that_does_not_answer_yet_is_waited_for(self, phase):
        waiting, notes = through(checking(), Silent(phase), Silent(phase))

        assert (waiting.state, waiting.silent_phase, notes) == (State.CHECKING, phase, ["silent"])

    def test_the_waits_grow_to_fifteen_seconds(self):
        waits, attempt, now = [], checking(), NOW
        for _ in range(8):
            outcome = decide(attempt, Silent("connect"), now)
            waits.append(outcome.wait)
            attempt, now = outcome.snapshot, now + timedelta(seconds=outcome.wait)

        assert waits == [1, 1, 2, 4, 8, 15, 15, 15]

    def test_after_five_minutes_it_is_given_up(self):
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
    def test_it_fails_with_the_reason_and_nothing_was_sent(self, observation, reason):
        outcome = decide(checking(), observation, NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, reason)
        assert outcome.snapshot.ended_at == NOW

    @pytest.mark.parametrize("word", ["initiated", "creating_cluster", "joining_cluster", "polishing"])
    def test_somebody_elses_bootstrap_is_the_operators_to_judge(self, word):
        outcome = decide(checking(), seen(word, BEFORE), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
        assert outcome.snapshot.node_state == word
        assert not outcome.snapshot.reason.keeps_secret

    def test_another_certificate_stops_it(self):
        shown = StrangeCertificate({"fingerprint": STRANGE, "subject": "CN=other"})

        outcome = decide(checking(accept_new_certificate=True), shown, NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.NEEDS_OPERATOR, Reason.TRUST)
        assert outcome.snapshot.seen_certificate["fingerprint"] == STRANGE
        assert Choice.APPROVE_CERTIFICATE in choices_of(outcome.snapshot.reason)


class TestTheAnswerToThePost:
    def test_accepted_is_in_progress(self):
        attempt, notes = through(sent(State.SUBMITTING), Accepted())

        assert (attempt.state, notes) == (State.IN_PROGRESS, ["accepted"])

    def test_a_lost_answer_is_a_state_of_its_own(self):
        attempt, notes = through(sent(State.SUBMITTING), AnswerLost("NodeUnreachable"))

        assert (attempt.state, notes) == (State.UNKNOWN, ["unknown"])

    def test_an_intent_that_grew_too_old_is_withdrawn(self):
        attempt, notes = through(sent(State.SUBMITTING), NotSent())

        assert (attempt.state, attempt.submits, attempt.submit_intent_at) == (State.CHECKING, 0, None)
        assert notes == ["not_sent"]

    @pytest.mark.parametrize(
        ("observation", "reason"),
        [
            (Rejected(307, "https://elsewhere.example.com"), Reason.REDIRECTED),
            (Unsupported(404), Reason.UNSUPPORTED_ACTION),
        ],
    )
    def test_an_answer_that_no_bootstrap_follows_is_a_verdict(self, observation, reason):
        outcome = decide(sent(State.SUBMITTING), observation, NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, reason)
