"""Refusals, 409s and outcomes that nobody knows: rows of docs/failure-modes.md, one sentence each."""

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
    StrangeCertificate,
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


class TestARefusal:
    """Rows 26 and 27: a look before it is believed."""

    @pytest.mark.parametrize("status", [400, 406, 413, 415, 422])
    def test_it_is_believed_when_nothing_has_begun(self, status):
        attempt, notes = through(sent(State.SUBMITTING), Rejected(status, "cluster.name: too long"), seen("idle"))

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.REJECTED)
        assert attempt.answer == "cluster.name: too long"
        assert notes == ["refused", "failed"]

    def test_the_look_comes_at_once(self):
        assert decide(sent(State.SUBMITTING), Rejected(400, ""), NOW).wait == 0

    def test_it_is_not_believed_when_something_has_begun(self):
        attempt, notes = through(sent(State.SUBMITTING), Rejected(400, ""), seen("initiated", OURS))

        assert (attempt.state, attempt.unconfirmed) == (State.IN_PROGRESS, True)
        assert "attributed" in notes

    def test_an_error_of_what_began_then_is_not_called_ours(self):
        failed = seen("error", OURS, code="path_error")
        attempt, _ = through(sent(State.SUBMITTING), Rejected(400, ""), *[failed] * 3, every=timing.ERROR_READS_APART)

        assert (attempt.state, attempt.reason, attempt.error_code) == (State.FAILED, Reason.FOREIGN_FAILED, "")

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_sign_in_that_is_wanted_twice_means_that_it_is_a_member_already(self, status):
        attempt, _ = through(sent(State.SUBMITTING), Rejected(status, ""), SignInWanted())

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)

    def test_after_an_earlier_request_of_unknown_outcome_nothing_but_a_look_decides(self):
        again = sent(State.SUBMITTING, submits=2, earlier_unknown=True)

        taken, _ = through(again, Unsupported(404), seen("initiated", OURS))
        refused, _ = through(again, Unsupported(404), seen("idle"))

        assert taken.state is State.IN_PROGRESS
        assert (refused.state, refused.reason) == (State.FAILED, Reason.UNSUPPORTED_ACTION)


class TestA409:
    """Row 25: whose bootstrap is it?"""

    def test_to_the_only_request_it_is_somebody_elses(self):
        attempt, _ = through(sent(State.SUBMITTING), Conflict(), seen("initiated", BEFORE))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
        assert choices_of(attempt.reason)[:3] == (Choice.KEEP_WATCHING, Choice.OURS, Choice.NOT_OURS)
        assert not attempt.reason.keeps_secret

    def test_to_a_second_one_after_a_lost_one_it_is_ours(self):
        again = sent(State.SUBMITTING, submits=2, earlier_unknown=True)

        attempt, notes = through(again, Conflict(), seen("initiated", OURS))

        assert (attempt.state, attempt.unconfirmed, attempt.is_unconfirmed) == (State.IN_PROGRESS, True, False)
        assert "attributed" in notes

    def test_one_that_began_as_ours_was_sent_is_watched_in_doubt(self):
        conflict = decide(sent(State.SUBMITTING), Conflict(), NOW + timedelta(seconds=5)).snapshot

        attempt, notes = through(conflict, seen("initiated", OURS))

        assert (attempt.state, attempt.is_unconfirmed) == (State.IN_PROGRESS, True)
        assert "unconfirmed" in notes

    def test_in_doubt_an_error_is_not_called_ours(self):
        doubtful = sent(unconfirmed=True, conflict_at=NOW, began=True, accepted_start_time=OURS)

        attempt, _ = through(doubtful, *[seen("error", OURS, code="path_error")] * 2, every=timing.ERROR_READS_APART)

        assert (attempt.reason, attempt.error_code) == (Reason.FOREIGN_FAILED, "")

    def test_no_new_certificate_is_believed_before_a_look_tells_whose_it_is(self):
        asked, _ = through(sent(accept_new_certificate=True), Conflict())

        assert decide(asked, StrangeCertificate({"fingerprint": STRANGE}), NOW).snapshot.reason is Reason.TRUST

    def test_in_doubt_no_new_certificate_is_believed(self):
        doubtful = sent(unconfirmed=True, conflict_at=NOW, accept_new_certificate=True)

        assert decide(doubtful, StrangeCertificate({"fingerprint": STRANGE}), NOW).snapshot.reason is Reason.TRUST

    def test_it_is_never_followed_by_a_second_request_of_its_own(self):
        refused = sent(State.UNKNOWN, conflict_at=NOW, settle_time=SETTLE_TIME)

        attempt, _ = through(refused, seen("idle"), seen("idle"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)

    def test_what_an_operator_calls_ours_still_has_to_be_proved(self):
        resting = sent(State.NEEDS_OPERATOR, reason=Reason.FOREIGN_IN_PROGRESS, resume_state="unknown", conflict_at=NOW)
        claimed = transitions.ours(resting, NOW, "maria", timedelta(minutes=30)).snapshot

        attempt, _ = through(claimed, seen("completed", OURS), ClusterShown("other.example.com"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)


class TestAnUnknownOutcome:
    def test_a_changed_start_time_is_adopted(self):
        attempt, notes = through(sent(State.UNKNOWN), seen("initiated", OURS))

        assert (attempt.state, attempt.accepted_start_time) == (State.IN_PROGRESS, OURS)
        assert notes == ["attributed", "node_state"]

    @pytest.mark.parametrize("state", [State.SUBMITTING, State.UNKNOWN])
    def test_no_trace_after_the_quiet_time_is_sent_once_more_by_itself(self, state):
        attempt, notes = through(sent(state, settle_time=SETTLE_TIME), seen("idle"), seen("idle"))

        assert (attempt.state, attempt.resubmits, notes) == (State.CHECKING, 1, ["resubmitting"])
        assert may_submit(attempt, seen("idle").status)
        assert not may_submit(attempt, seen("error", OURS).status)

    def test_a_second_time_it_is_the_operators_to_say(self):
        attempt, notes = through(
            sent(State.UNKNOWN, settle_time=SETTLE_TIME, resubmits=1, submits=2), seen("idle"), seen("idle")
        )

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert choices_of(attempt.reason)[0] is Choice.SEND_AGAIN
        assert attempt.reason.keeps_secret
        assert notes == ["needs_operator"]

    def test_a_node_that_has_changed_its_certificate_is_not_sent_it_again(self):
        swapped = sent(State.UNKNOWN, settle_time=SETTLE_TIME, new_fingerprint=CLUSTER)

        attempt, _ = through(swapped, seen("idle"), seen("idle"))

        assert attempt.reason is Reason.NOT_ACCEPTED

    def test_a_second_intent_has_a_baseline_and_a_quiet_time_of_its_own(self):
        first = sent(State.UNKNOWN, settle_time=SETTLE_TIME)

        second = intend(first, seen("idle").status, NOW).snapshot

        assert (second.submits, second.settle_time, second.earlier_unknown) == (2, 0, True)

    def test_a_clock_that_jumps_is_no_quiet_time(self):
        just_sent = sent(State.UNKNOWN, last_asked_at=NOW)

        forward = decide(just_sent, seen("idle"), NOW + timedelta(hours=1)).snapshot
        back = decide(just_sent, seen("idle"), NOW - timedelta(hours=1)).snapshot

        assert (forward.settle_time, back.settle_time) == (timing.SETTLE_STEP.total_seconds(), 0)

    def test_one_that_jumps_again_and_again_is_none_where_a_counter_tells(self):
        attempt = sent(State.UNKNOWN, last_asked_at=NOW, time_left=60.0)

        for jump in range(1, 9):
            a_minute_on = NOW + jump * timedelta(minutes=1)
            attempt = decide(attempt, seen("idle"), a_minute_on, timedelta(seconds=0.5)).snapshot

        assert (attempt.state, attempt.settle_time, attempt.time_left) == (State.UNKNOWN, 4.0, 56.0)

    def test_a_counter_that_ran_on_while_the_clock_stood_is_none_either(self):
        just_sent = sent(State.UNKNOWN, last_asked_at=NOW)

        attempt = decide(just_sent, seen("idle"), NOW, timedelta(seconds=9)).snapshot

        assert attempt.settle_time == 0

    def test_a_second_one_that_was_held_back_leaves_the_first_in_doubt(self):
        attempt, _ = through(sent(State.SUBMITTING, submits=2, earlier_unknown=True), NotSent())

        assert (attempt.state, attempt.submits, attempt.submit_intent_at) == (State.CHECKING, 1, NOW)
        assert not may_submit(attempt, seen("error", OURS).status)

    def test_within_the_quiet_time_nothing_is_concluded(self):
        attempt, _ = through(sent(State.UNKNOWN, settle_time=SETTLE_TIME - 2), seen("idle"), seen("idle"))

        assert attempt.state is State.UNKNOWN

    def test_one_look_is_not_enough(self):
        attempt, _ = through(sent(State.UNKNOWN, settle_time=SETTLE_TIME), seen("idle"))

        assert attempt.state is State.UNKNOWN

    def test_silence_between_two_looks_starts_them_anew(self):
        attempt, _ = through(
            sent(State.UNKNOWN, settle_time=SETTLE_TIME), seen("idle"), Silent("connect"), seen("idle")
        )

        assert attempt.state is State.UNKNOWN

    def test_an_old_error_is_not_taken_for_ours(self):
        attempt, _ = through(
            sent(State.UNKNOWN, baseline_state="error", baseline_start_time=BEFORE),
            seen("error", BEFORE, code="path_error"),
        )

        assert (attempt.state, attempt.error_code) == (State.UNKNOWN, "")

    def test_a_first_post_that_arrived_late_is_adopted_instead_of_sent_again(self):
        again = checking(submits=1, submit_intent_at=NOW)

        assert not may_submit(again, seen("error", OURS).status)
        attempt, notes = through(again, seen("creating_cluster", OURS), seen("creating_cluster", OURS))
        assert attempt.state is State.IN_PROGRESS
        assert "attributed" in notes
