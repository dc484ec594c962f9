"""Refusals, 409s and unknown outcomes."""

from datetime import timedelta

import pytest

from setup_wizard.attempts import timing
from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.observations import (
    ClusterShown,
    Conflict,
    NotSent,
    Rejected,
    SignInWanted,
    Silent,
    UnapprovedCertificate,
    Unsupported,
)
from setup_wizard.attempts.reducer import decide, intend, may_submit, transitions
from setup_wizard.attempts.states import Reason, State
from tests.attempts.reducer.cases import (
    BEFORE,
    CLUSTER,
    NOW,
    OURS,
    SETTLE_TIME,
    STRANGE,
    checking,
    seen,
    sent,
    through,
)


class TestRefusal:
    """A refusal counts only after a poll."""

    @pytest.mark.parametrize("status", [400, 406, 413, 415, 422])
    def test_refusal_counts_when_nothing_has_started(self, status):
        attempt, kinds = through(sent(State.SUBMITTING), Rejected(status, "cluster.name: too long"), seen("idle"))

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.REJECTED)
        assert attempt.answer == "cluster.name: too long"
        assert kinds == ["refused", "failed"]

    def test_refusal_is_followed_by_a_poll_at_once(self):
        assert decide(sent(State.SUBMITTING), Rejected(400, ""), NOW).wait == 0

    def test_refusal_does_not_count_when_a_bootstrap_has_started(self):
        attempt, kinds = through(sent(State.SUBMITTING), Rejected(400, ""), seen("initiated", OURS))

        assert (attempt.state, attempt.unconfirmed) == (State.IN_PROGRESS, True)
        assert "attributed" in kinds

    def test_error_of_that_bootstrap_is_not_ours(self):
        failed = seen("error", OURS, code="path_error")
        attempt, _ = through(sent(State.SUBMITTING), Rejected(400, ""), *[failed] * 3, every=timing.ERROR_READS_APART)

        assert (attempt.state, attempt.reason, attempt.error_code) == (State.FAILED, Reason.FOREIGN_FAILED, "")

    @pytest.mark.parametrize("status", [401, 403])
    def test_two_401s_mean_that_the_node_was_a_member_before(self, status):
        attempt, _ = through(sent(State.SUBMITTING), Rejected(status, ""), SignInWanted())

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)

    def test_refusal_after_an_unknown_outcome_needs_a_poll(self):
        again = sent(State.SUBMITTING, submits=2, earlier_unknown=True)

        taken, _ = through(again, Unsupported(404), seen("initiated", OURS))
        refused, _ = through(again, Unsupported(404), seen("idle"))

        assert taken.state is State.IN_PROGRESS
        assert (refused.state, refused.reason) == (State.FAILED, Reason.UNSUPPORTED_ACTION)


class TestConflict:
    """A 409 does not say whose bootstrap is running."""

    def test_409_to_the_only_request_is_not_ours(self):
        attempt, _ = through(sent(State.SUBMITTING), Conflict(), seen("initiated", BEFORE))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
        assert choices_of(attempt.reason)[:3] == (Choice.KEEP_WATCHING, Choice.OURS, Choice.NOT_OURS)
        assert not attempt.reason.keeps_credentials

    def test_409_after_a_lost_request_is_ours(self):
        again = sent(State.SUBMITTING, submits=2, earlier_unknown=True)

        attempt, kinds = through(again, Conflict(), seen("initiated", OURS))

        assert (attempt.state, attempt.unconfirmed, attempt.is_followed_after_refusal) == (
            State.IN_PROGRESS,
            True,
            False,
        )
        assert "attributed" in kinds

    def test_bootstrap_that_began_with_our_request_is_unconfirmed(self):
        conflict = decide(sent(State.SUBMITTING), Conflict(), NOW + timedelta(seconds=5)).snapshot

        attempt, kinds = through(conflict, seen("initiated", OURS))

        assert (attempt.state, attempt.is_followed_after_refusal) == (State.IN_PROGRESS, True)
        assert "unconfirmed" in kinds

    def test_error_of_an_unconfirmed_bootstrap_is_not_ours(self):
        unconfirmed = sent(unconfirmed=True, not_accepted_at=NOW, began=True, accepted_start_time=OURS)

        attempt, _ = through(unconfirmed, *[seen("error", OURS, code="path_error")] * 2, every=timing.ERROR_READS_APART)

        assert (attempt.reason, attempt.error_code) == (Reason.FOREIGN_FAILED, "")

    def test_409_accepts_no_new_certificate_before_a_poll(self):
        asked, _ = through(sent(accept_new_certificate=True), Conflict())

        assert decide(asked, UnapprovedCertificate({"fingerprint": STRANGE}), NOW).snapshot.reason is Reason.TRUST

    def test_unconfirmed_bootstrap_accepts_no_new_certificate(self):
        unconfirmed = sent(unconfirmed=True, not_accepted_at=NOW, accept_new_certificate=True)

        assert decide(unconfirmed, UnapprovedCertificate({"fingerprint": STRANGE}), NOW).snapshot.reason is Reason.TRUST

    def test_409_is_never_followed_by_an_automatic_retry(self):
        refused = sent(State.UNKNOWN, not_accepted_at=NOW, settled_for=SETTLE_TIME)

        attempt, _ = through(refused, seen("idle"), seen("idle"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)

    def test_bootstrap_claimed_by_the_operator_needs_confirmation(self):
        waiting = sent(
            State.NEEDS_OPERATOR, reason=Reason.FOREIGN_IN_PROGRESS, resume_state="unknown", not_accepted_at=NOW
        )
        claimed = transitions.ours(waiting, NOW, "maria", timedelta(minutes=30)).snapshot

        attempt, _ = through(claimed, seen("completed", OURS), ClusterShown("other.example.com"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)


class TestUnknownOutcome:
    def test_changed_start_time_counts_as_accepted(self):
        attempt, kinds = through(sent(State.UNKNOWN), seen("initiated", OURS))

        assert (attempt.state, attempt.accepted_start_time) == (State.IN_PROGRESS, OURS)
        assert kinds == ["attributed", "node_state"]

    @pytest.mark.parametrize("state", [State.SUBMITTING, State.UNKNOWN])
    def test_lost_request_is_sent_once_more_after_the_settle_time(self, state):
        attempt, kinds = through(sent(state, settled_for=SETTLE_TIME), seen("idle"), seen("idle"))

        assert (attempt.state, attempt.resubmits, kinds) == (State.CHECKING, 1, ["resubmitting"])
        assert may_submit(attempt, seen("idle").status)
        assert not may_submit(attempt, seen("error", OURS).status)

    def test_second_lost_request_waits_for_the_operator(self):
        attempt, kinds = through(
            sent(State.UNKNOWN, settled_for=SETTLE_TIME, resubmits=1, submits=2), seen("idle"), seen("idle")
        )

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert choices_of(attempt.reason)[0] is Choice.SEND_AGAIN
        assert attempt.reason.keeps_credentials
        assert kinds == ["needs_operator"]

    def test_node_with_a_new_certificate_gets_no_automatic_retry(self):
        swapped = sent(State.UNKNOWN, settled_for=SETTLE_TIME, new_fingerprint=CLUSTER)

        attempt, _ = through(swapped, seen("idle"), seen("idle"))

        assert attempt.reason is Reason.NOT_ACCEPTED

    def test_second_intent_has_its_own_baseline_and_settle_time(self):
        first = sent(State.UNKNOWN, settled_for=SETTLE_TIME)

        second = intend(first, seen("idle").status, NOW).snapshot

        assert (second.submits, second.settled_for, second.earlier_unknown) == (2, 0, True)

    def test_jumping_clock_adds_no_settle_time(self):
        just_sent = sent(State.UNKNOWN, last_asked_at=NOW)

        forward = decide(just_sent, seen("idle"), NOW + timedelta(hours=1)).snapshot
        back = decide(just_sent, seen("idle"), NOW - timedelta(hours=1)).snapshot

        assert (forward.settled_for, back.settled_for) == (timing.SETTLE_STEP.total_seconds(), 0)

    def test_repeated_jumps_add_no_settle_time_on_one_machine(self):
        attempt = sent(State.UNKNOWN, last_asked_at=NOW, time_left=60.0)

        for jump in range(1, 9):
            a_minute_on = NOW + jump * timedelta(minutes=1)
            attempt = decide(attempt, seen("idle"), a_minute_on, timedelta(seconds=0.5)).snapshot

        assert (attempt.state, attempt.settled_for, attempt.time_left) == (State.UNKNOWN, 4.0, 56.0)

    def test_monotonic_clock_alone_adds_no_settle_time(self):
        just_sent = sent(State.UNKNOWN, last_asked_at=NOW)

        attempt = decide(just_sent, seen("idle"), NOW, timedelta(seconds=9)).snapshot

        assert attempt.settled_for == 0

    def test_second_intent_that_is_undone_keeps_the_first_unknown(self):
        attempt, _ = through(sent(State.SUBMITTING, submits=2, earlier_unknown=True), NotSent())

        assert (attempt.state, attempt.submits, attempt.submit_intent_at) == (State.CHECKING, 1, NOW)
        assert not may_submit(attempt, seen("error", OURS).status)

    def test_settle_time_ends_nothing_early(self):
        attempt, _ = through(sent(State.UNKNOWN, settled_for=SETTLE_TIME - 2), seen("idle"), seen("idle"))

        assert attempt.state is State.UNKNOWN

    def test_one_unchanged_poll_is_not_enough(self):
        attempt, _ = through(sent(State.UNKNOWN, settled_for=SETTLE_TIME), seen("idle"))

        assert attempt.state is State.UNKNOWN

    def test_silence_between_two_polls_resets_them(self):
        attempt, _ = through(
            sent(State.UNKNOWN, settled_for=SETTLE_TIME), seen("idle"), Silent("connect"), seen("idle")
        )

        assert attempt.state is State.UNKNOWN

    def test_old_error_is_not_ours(self):
        attempt, _ = through(
            sent(State.UNKNOWN, baseline_state="error", baseline_start_time=BEFORE),
            seen("error", BEFORE, code="path_error"),
        )

        assert (attempt.state, attempt.error_code) == (State.UNKNOWN, "")

    def test_late_first_post_counts_as_accepted(self):
        again = checking(submits=1, submit_intent_at=NOW)

        assert not may_submit(again, seen("error", OURS).status)
        attempt, kinds = through(again, seen("creating_cluster", OURS), seen("creating_cluster", OURS))
        assert attempt.state is State.IN_PROGRESS
        assert "attributed" in kinds
