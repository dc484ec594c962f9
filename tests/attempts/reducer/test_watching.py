"""A bootstrap under way, its sign-in and its certificate: rows of docs/failure-modes.md, one sentence each."""

from datetime import timedelta

import pytest

from setup_wizard.attempts import timing
from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.observations import (
    ClusterShown,
    MemberNamed,
    MemberRefused,
    MemberUnavailable,
    Misbehaved,
    NodeListed,
    Redirected,
    SignInHeld,
    SignInWanted,
    Silent,
    StrangeCertificate,
)
from setup_wizard.attempts.reducer import Step, decide, may_sign_in, pins, step
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from tests.attempts.reducer.cases import (
    BEFORE,
    CLUSTER,
    LATER,
    NAME,
    NODE,
    NOW,
    OURS,
    STRANGE,
    checking,
    seen,
    sent,
    snapshot,
    through,
)

REFUSED = SignInWanted(signed_in=True, fingerprint=NODE)


class TestWatching:
    def test_each_new_word_of_the_node_is_an_event_and_a_repeated_one_is_none(self):
        attempt, notes = through(
            sent(),
            seen("initiated", OURS),
            seen("initiated", OURS),
            seen("creating_cluster", OURS),
            seen("polishing", OURS),
        )

        assert (attempt.state, attempt.node_state) == (State.IN_PROGRESS, "polishing")
        assert notes == ["node_state"] * 3

    def test_completed_is_believed_only_when_the_cluster_has_our_name_and_lists_the_node(self):
        begun = sent(cluster_name=NAME)

        asked, _ = through(begun, seen("completed", OURS))
        named, _ = through(asked, ClusterShown(NAME))
        proved, notes = through(named, NodeListed("active"))

        assert (asked.state, asked.wants_sign_in, step(asked)) == (State.VERIFYING, True, Step.CLUSTER)
        assert (named.state, step(named)) == (State.VERIFYING, Step.NODES)
        assert (proved.state, notes) == (State.SUCCEEDED, ["succeeded"])

    def test_a_completed_from_before_is_not_ours(self):
        attempt, _ = through(sent(baseline_start_time=BEFORE), seen("completed", BEFORE, signed_in=True))

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)

    def test_an_error_is_believed_at_the_second_look_two_seconds_later(self):
        refused = seen("error", OURS, code="access_denied", message="no")

        once, _ = through(sent(), refused)
        too_soon, _ = through(sent(), refused, refused)
        twice, notes = through(sent(), refused, refused, every=timing.ERROR_READS_APART)

        assert (once.state, too_soon.state) == (State.IN_PROGRESS, State.IN_PROGRESS)
        assert (twice.state, twice.reason, twice.error_code) == (State.FAILED, Reason.NODE_ERROR, "access_denied")
        assert notes[-1] == "failed"

    def test_an_error_that_flaps_is_not_a_verdict(self):
        refused = seen("error", OURS, code="connect_error")

        attempt, _ = through(sent(), refused, seen("joining_cluster", OURS), refused, every=timing.ERROR_READS_APART)

        assert attempt.state is State.IN_PROGRESS

    def test_an_old_error_says_nothing_about_a_request_just_accepted(self):
        attempt, _ = through(
            sent(baseline_start_time=BEFORE, baseline_state="error"),
            *[seen("error", BEFORE, code="path_error")] * 3,
            every=timing.ERROR_READS_APART,
        )

        assert (attempt.state, attempt.error_code) == (State.IN_PROGRESS, "")

    def test_a_restart_is_told_once_and_again_when_it_is_over(self):
        attempt, notes = through(
            sent(node_state="creating_cluster", accepted_start_time=OURS),
            Silent("connect"),
            Silent("HTTP 503"),
            Silent("tls"),
            seen("creating_cluster", OURS),
        )

        assert (attempt.state, attempt.silent_since) == (State.IN_PROGRESS, None)
        assert notes == ["silent", "answers_again"]

    def test_a_broken_answer_in_the_middle_is_a_failed_look_not_a_verdict(self):
        attempt, notes = through(sent(), Misbehaved("nested too deeply"), Redirected(302, "https://x.example.com"))

        assert (attempt.state, notes) == (State.IN_PROGRESS, ["silent"])

    def test_three_looks_at_an_idle_node_mean_that_it_was_reset(self):
        at_work = sent(accepted_start_time=OURS, began=True)

        two, _ = through(at_work, seen("idle"), seen("idle"))
        three, _ = through(at_work, seen("idle"), seen("idle"), seen("idle"))

        assert two.state is State.IN_PROGRESS
        assert (three.state, three.reason) == (State.FAILED, Reason.NODE_RESET)

    def test_another_start_time_is_somebody_elses_bootstrap(self):
        attempt, _ = through(sent(), seen("creating_cluster", OURS), seen("initiated", LATER))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.SUPERSEDED)

    def test_a_foreign_bootstrap_never_ends_as_ours(self):
        watched = sent(not_ours=True)

        completed, _ = through(watched, seen("completed", LATER, signed_in=True))
        refused, _ = through(watched, SignInWanted())
        failed, _ = through(watched, seen("error", LATER, code="path_error"))

        assert (completed.state, completed.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)
        assert (refused.state, refused.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)
        assert (failed.state, failed.reason, failed.error_code) == (State.FAILED, Reason.FOREIGN_FAILED, "")

    def test_a_start_time_that_is_gone_means_that_it_was_reset(self):
        at_work = sent(accepted_start_time=OURS, began=True)

        attempt, _ = through(at_work, *[seen("creating_cluster")] * 3)

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.NODE_RESET)

    def test_looks_that_differ_do_not_add_up_to_a_reset(self):
        at_work = sent(accepted_start_time=OURS, began=True)

        attempt, _ = through(at_work, seen("idle"), seen("idle"), seen("creating_cluster"), seen("idle"))

        assert attempt.state is State.IN_PROGRESS

    def test_a_long_silence_is_told_once_more_after_five_minutes(self):
        attempt, notes = through(sent(), *[Silent("connect")] * 8, every=timedelta(minutes=1))

        assert (attempt.state, notes) == (State.IN_PROGRESS, ["silent", "still_silent"])


class TestTheSignInInTheMiddle:
    def test_the_first_401_is_answered_with_the_sign_in_at_once(self):
        outcome = decide(sent(), SignInWanted(fingerprint=NODE), NOW)

        assert (outcome.snapshot.wants_sign_in, outcome.wait) == (True, 0)
        assert [note.kind for note in outcome.events] == ["sign_in_wanted"]

    def test_a_refused_sign_in_is_tried_once_more_ten_seconds_later(self):
        once, notes = through(sent(wants_sign_in=True), REFUSED)

        assert (once.state, notes) == (State.IN_PROGRESS, ["sign_in_refused"])
        assert not may_sign_in(once, NOW + timing.SIGN_IN_RETRY_AFTER - timedelta(seconds=1))
        assert may_sign_in(once, NOW + timing.SIGN_IN_RETRY_AFTER)
        assert may_sign_in(once, NOW - timedelta(hours=1))  # a clock that was put back

    def test_looks_without_it_in_between_are_no_refusals(self):
        attempt, notes = through(sent(wants_sign_in=True), REFUSED, *[SignInWanted(fingerprint=NODE)] * 20)

        assert (attempt.state, attempt.refused_sign_ins, notes) == (State.IN_PROGRESS, 1, ["sign_in_refused"])

    def test_an_answer_without_it_does_not_start_the_count_again(self):
        attempt, _ = through(sent(wants_sign_in=True), REFUSED, seen("creating_cluster", OURS), REFUSED)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)

    def test_then_the_operator_is_asked(self):
        attempt, _ = through(sent(wants_sign_in=True), REFUSED, REFUSED)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
        assert choices_of(attempt.reason)[0] is Choice.CREDENTIALS

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (MemberNamed(NAME), "accepts the credentials, but the node refused them twice"),
            (MemberRefused(), "The node and 10.0.0.5:9443 refused the credentials"),
            (MemberUnavailable("away"), "did not answer (away)"),
        ],
    )
    def test_on_a_join_the_member_is_asked_once_before(self, answer, told):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        twice, _ = through(sent(wants_sign_in=True, **join), REFUSED, REFUSED)
        outcome = decide(twice, answer, NOW)

        assert (twice.state, step(twice)) == (State.IN_PROGRESS, Step.MEMBER)
        assert outcome.snapshot.reason is Reason.CREDENTIALS_REFUSED
        assert told in outcome.events[-1].message

    def test_a_success_in_between_starts_the_count_again(self):
        attempt, _ = through(
            sent(wants_sign_in=True, refused_since=NOW, refused_sign_ins=1),
            seen("creating_cluster", OURS, signed_in=True),
            REFUSED,
        )

        assert attempt.state is State.IN_PROGRESS

    @pytest.mark.parametrize("state", [State.QUEUED, State.CHECKING, State.IN_PROGRESS, State.VERIFYING])
    def test_a_sign_in_that_is_held_back_waits_for_the_operator(self, state):
        busy, none = through(snapshot(state), SignInHeld(is_busy=True))
        held, notes = through(snapshot(state), SignInHeld("Too many were refused"))

        assert (busy.state, none) == (state, [])
        assert (held.state, held.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
        assert notes == ["needs_operator"]


class TestTheCertificateSwap:
    SHOWN = StrangeCertificate({"fingerprint": STRANGE})

    def test_a_create_accepts_one_new_certificate_if_it_was_ticked(self):
        outcome = decide(sent(accept_new_certificate=True), self.SHOWN, NOW)

        assert outcome.snapshot.state is State.IN_PROGRESS
        assert pins(outcome.snapshot) == {NODE, STRANGE}
        assert outcome.events[0].data["new"] == STRANGE

    def test_without_the_tick_it_asks(self):
        outcome = decide(sent(), self.SHOWN, NOW)

        assert outcome.snapshot.reason is Reason.TRUST
        assert pins(outcome.snapshot) == {NODE}

    def test_a_second_change_asks_even_with_the_tick(self):
        outcome = decide(sent(accept_new_certificate=True, new_fingerprint=CLUSTER), self.SHOWN, NOW)

        assert outcome.snapshot.reason is Reason.TRUST

    def test_a_join_believes_the_clusters_certificate_only_after_the_intent(self):
        join = {"action": Action.JOIN, "member_fingerprint": CLUSTER, "accept_new_certificate": True}

        assert pins(checking(**join)) == {NODE}
        assert pins(sent(State.SUBMITTING, **join)) == {NODE, CLUSTER}

    def test_a_join_never_accepts_any_other_in_advance(self):
        join = sent(action=Action.JOIN, member_fingerprint=CLUSTER, accept_new_certificate=True)

        outcome = decide(join, self.SHOWN, NOW)

        assert outcome.snapshot.reason is Reason.TRUST

    def test_the_moment_of_the_swap_is_an_event(self):
        join = sent(action=Action.JOIN, member_fingerprint=CLUSTER)

        attempt, notes = through(
            join, seen("joining_cluster", OURS, fingerprint=CLUSTER), SignInWanted(fingerprint=CLUSTER)
        )

        assert attempt.new_fingerprint == CLUSTER
        assert notes.count("certificate_replaced") == 1
