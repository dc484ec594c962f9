"""A running bootstrap, its credentials and its certificate."""

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
    UnapprovedCertificate,
)
from setup_wizard.attempts.reducer import Exchange, decide, may_sign_in, next_exchange, pins
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
    def test_each_new_state_of_the_node_is_one_event(self):
        attempt, kinds = through(
            sent(),
            seen("initiated", OURS),
            seen("initiated", OURS),
            seen("creating_cluster", OURS),
            seen("polishing", OURS),
        )

        assert (attempt.state, attempt.node_state) == (State.IN_PROGRESS, "polishing")
        assert kinds == ["node_state"] * 3

    def test_completed_needs_the_clusters_name_and_list(self):
        begun = sent(cluster_name=NAME)

        asked, _ = through(begun, seen("completed", OURS))
        named, _ = through(asked, ClusterShown(NAME))
        proved, kinds = through(named, NodeListed("active"))

        assert (asked.state, asked.wants_sign_in, next_exchange(asked)) == (State.VERIFYING, True, Exchange.CLUSTER)
        assert (named.state, next_exchange(named)) == (State.VERIFYING, Exchange.NODES)
        assert (proved.state, kinds) == (State.SUCCEEDED, ["succeeded"])

    def test_completed_from_before_is_not_ours(self):
        attempt, _ = through(sent(baseline_start_time=BEFORE), seen("completed", BEFORE, signed_in=True))

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)

    def test_error_counts_at_the_second_poll_after_two_seconds(self):
        refused = seen("error", OURS, code="access_denied", message="no")

        once, _ = through(sent(), refused)
        too_soon, _ = through(sent(), refused, refused)
        twice, kinds = through(sent(), refused, refused, every=timing.ERROR_READS_APART)

        assert (once.state, too_soon.state) == (State.IN_PROGRESS, State.IN_PROGRESS)
        assert (twice.state, twice.reason, twice.error_code) == (State.FAILED, Reason.NODE_ERROR, "access_denied")
        assert kinds[-1] == "failed"

    def test_error_that_disappears_does_not_count(self):
        refused = seen("error", OURS, code="connect_error")

        attempt, _ = through(sent(), refused, seen("joining_cluster", OURS), refused, every=timing.ERROR_READS_APART)

        assert attempt.state is State.IN_PROGRESS

    def test_old_error_does_not_count_for_an_accepted_request(self):
        attempt, _ = through(
            sent(baseline_start_time=BEFORE, baseline_state="error"),
            *[seen("error", BEFORE, code="path_error")] * 3,
            every=timing.ERROR_READS_APART,
        )

        assert (attempt.state, attempt.error_code) == (State.IN_PROGRESS, "")

    def test_restart_has_one_event_at_each_end(self):
        attempt, kinds = through(
            sent(node_state="creating_cluster", accepted_start_time=OURS),
            Silent("connect"),
            Silent("HTTP 503"),
            Silent("tls"),
            seen("creating_cluster", OURS),
        )

        assert (attempt.state, attempt.silent_since) == (State.IN_PROGRESS, None)
        assert kinds == ["silent", "answers_again"]

    def test_broken_answer_during_a_bootstrap_is_only_a_failed_poll(self):
        attempt, kinds = through(sent(), Misbehaved("nested too deeply"), Redirected(302, "https://x.example.com"))

        assert (attempt.state, kinds) == (State.IN_PROGRESS, ["silent"])

    def test_three_idle_polls_mean_a_reset(self):
        at_work = sent(accepted_start_time=OURS, began=True)

        two, _ = through(at_work, seen("idle"), seen("idle"))
        three, _ = through(at_work, seen("idle"), seen("idle"), seen("idle"))

        assert two.state is State.IN_PROGRESS
        assert (three.state, three.reason) == (State.FAILED, Reason.NODE_RESET)

    def test_other_start_time_is_another_bootstrap(self):
        attempt, _ = through(sent(), seen("creating_cluster", OURS), seen("initiated", LATER))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.SUPERSEDED)

    def test_bootstrap_that_is_not_ours_never_ends_as_ours(self):
        watched = sent(not_ours=True)

        completed, _ = through(watched, seen("completed", LATER, signed_in=True))
        refused, _ = through(watched, SignInWanted())
        failed, _ = through(watched, seen("error", LATER, code="path_error"))

        assert (completed.state, completed.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)
        assert (refused.state, refused.reason) == (State.FAILED, Reason.ALREADY_IN_CLUSTER)
        assert (failed.state, failed.reason, failed.error_code) == (State.FAILED, Reason.FOREIGN_FAILED, "")

    def test_missing_start_time_means_a_reset(self):
        at_work = sent(accepted_start_time=OURS, began=True)

        attempt, _ = through(at_work, *[seen("creating_cluster")] * 3)

        assert (attempt.state, attempt.reason) == (State.FAILED, Reason.NODE_RESET)

    def test_different_polls_do_not_add_up_to_a_reset(self):
        at_work = sent(accepted_start_time=OURS, began=True)

        attempt, _ = through(at_work, seen("idle"), seen("idle"), seen("creating_cluster"), seen("idle"))

        assert attempt.state is State.IN_PROGRESS

    def test_long_silence_has_a_second_event_after_five_minutes(self):
        attempt, kinds = through(sent(), *[Silent("connect")] * 8, every=timedelta(minutes=1))

        assert (attempt.state, kinds) == (State.IN_PROGRESS, ["silent", "still_silent"])


class TestSignInDuringABootstrap:
    def test_first_401_is_answered_with_credentials_at_once(self):
        outcome = decide(sent(), SignInWanted(fingerprint=NODE), NOW)

        assert (outcome.snapshot.wants_sign_in, outcome.wait) == (True, 0)
        assert [event.kind for event in outcome.events] == ["sign_in_wanted"]

    def test_refused_sign_in_is_retried_after_ten_seconds(self):
        once, kinds = through(sent(wants_sign_in=True), REFUSED)

        assert (once.state, kinds) == (State.IN_PROGRESS, ["sign_in_refused"])
        assert not may_sign_in(once, NOW + timing.SIGN_IN_RETRY_AFTER - timedelta(seconds=1))
        assert may_sign_in(once, NOW + timing.SIGN_IN_RETRY_AFTER)
        assert may_sign_in(once, NOW - timedelta(hours=1))  # a clock that was put back

    def test_polls_without_credentials_are_no_refusals(self):
        attempt, kinds = through(sent(wants_sign_in=True), REFUSED, *[SignInWanted(fingerprint=NODE)] * 20)

        assert (attempt.state, attempt.refused_sign_ins, kinds) == (State.IN_PROGRESS, 1, ["sign_in_refused"])

    def test_poll_without_credentials_keeps_the_count_of_refusals(self):
        attempt, _ = through(sent(wants_sign_in=True), REFUSED, seen("creating_cluster", OURS), REFUSED)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)

    def test_second_refusal_waits_for_the_operator(self):
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
    def test_join_asks_the_member_once_before_the_operator(self, answer, told):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        twice, _ = through(sent(wants_sign_in=True, **join), REFUSED, REFUSED)
        outcome = decide(twice, answer, NOW)

        assert (twice.state, next_exchange(twice)) == (State.IN_PROGRESS, Exchange.MEMBER)
        assert outcome.snapshot.reason is Reason.CREDENTIALS_REFUSED
        assert told in outcome.events[-1].message

    def test_accepted_sign_in_resets_the_count_of_refusals(self):
        attempt, _ = through(
            sent(wants_sign_in=True, refused_since=NOW, refused_sign_ins=1),
            seen("creating_cluster", OURS, signed_in=True),
            REFUSED,
        )

        assert attempt.state is State.IN_PROGRESS

    @pytest.mark.parametrize("state", [State.QUEUED, State.CHECKING, State.IN_PROGRESS, State.VERIFYING])
    def test_blocked_sign_in_waits_for_the_operator(self, state):
        busy, none = through(snapshot(state), SignInHeld(is_busy=True))
        held, kinds = through(snapshot(state), SignInHeld("Too many were refused"))

        assert (busy.state, none) == (state, [])
        assert (held.state, held.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
        assert kinds == ["needs_operator"]


class TestNewCertificate:
    SHOWN = UnapprovedCertificate({"fingerprint": STRANGE})

    def test_create_accepts_one_new_certificate_with_consent(self):
        outcome = decide(sent(accept_new_certificate=True), self.SHOWN, NOW)

        assert outcome.snapshot.state is State.IN_PROGRESS
        assert pins(outcome.snapshot) == {NODE, STRANGE}
        assert outcome.events[0].data["new"] == STRANGE

    def test_create_without_consent_waits_for_the_operator(self):
        outcome = decide(sent(), self.SHOWN, NOW)

        assert outcome.snapshot.reason is Reason.TRUST
        assert pins(outcome.snapshot) == {NODE}

    def test_second_new_certificate_waits_for_the_operator(self):
        outcome = decide(sent(accept_new_certificate=True, new_fingerprint=CLUSTER), self.SHOWN, NOW)

        assert outcome.snapshot.reason is Reason.TRUST

    def test_join_trusts_the_cluster_certificate_after_the_intent(self):
        join = {"action": Action.JOIN, "member_fingerprint": CLUSTER, "accept_new_certificate": True}

        assert pins(checking(**join)) == {NODE}
        assert pins(sent(State.SUBMITTING, **join)) == {NODE, CLUSTER}

    def test_join_accepts_no_other_certificate_in_advance(self):
        join = sent(action=Action.JOIN, member_fingerprint=CLUSTER, accept_new_certificate=True)

        outcome = decide(join, self.SHOWN, NOW)

        assert outcome.snapshot.reason is Reason.TRUST

    def test_new_certificate_is_one_event(self):
        join = sent(action=Action.JOIN, member_fingerprint=CLUSTER)

        attempt, kinds = through(
            join, seen("joining_cluster", OURS, fingerprint=CLUSTER), SignInWanted(fingerprint=CLUSTER)
        )

        assert attempt.new_fingerprint == CLUSTER
        assert kinds.count("certificate_replaced") == 1
