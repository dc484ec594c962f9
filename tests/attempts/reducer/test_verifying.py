"""What proves a success, and how everything else ends."""

from dataclasses import replace
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
    SignInWanted,
    Silent,
)
from setup_wizard.attempts.reducer import Exchange, decide, expire, next_exchange
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from tests.attempts.reducer.cases import CLUSTER, NAME, NODE, NOW, OURS, checking, seen, sent, snapshot, through


class TestProof:
    def verifying(self, **known):
        return sent(State.VERIFYING, cluster_name=NAME, wants_sign_in=True, began=True, **known)

    def test_other_name_means_another_cluster(self):
        attempt, _ = through(self.verifying(), ClusterShown("other.example.com"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
        assert attempt.found_name == "other.example.com"

    @pytest.mark.parametrize(("said", "words"), [(True, "is rack-aware"), (False, "is not"), (None, "does not say")])
    def test_cluster_that_was_to_be_rack_aware_is_asked_once(self, said, words):
        outcome = decide(self.verifying(), ClusterShown(NAME, NODE, said, wants_rack_awareness=True), NOW)
        attempt, _ = through(outcome.snapshot, NodeListed("active"))

        event = outcome.events[-1]
        assert (event.kind, event.data) == ("rack_awareness", {"rack_aware": said})
        assert event.message.startswith(f"{NAME} {words}")
        assert attempt.state is State.SUCCEEDED

    def test_rack_awareness_that_nobody_asked_for_is_no_event(self):
        _, kinds = through(self.verifying(), ClusterShown(NAME, NODE, False))

        assert "rack_awareness" not in kinds

    def test_list_gives_the_id_that_the_node_did_not(self):
        unknown, _ = through(self.verifying(name_proved=True), NodeListed("active", uid="3"))
        known, _ = through(self.verifying(name_proved=True, node_uid="1"), NodeListed("active", uid="1"))

        assert (unknown.node_uid, known.node_uid) == ("3", "1")

    @pytest.mark.parametrize("spelling", ["REDIS-PROD.example.com", "redis-prod.example.com."])
    def test_name_ignores_case_and_a_final_dot(self, spelling):
        attempt, _ = through(self.verifying(), ClusterShown(spelling))

        assert attempt.name_proved

    @pytest.mark.parametrize("word", ["provisioning", "down", "decommissioning", ""])
    def test_node_that_is_not_active_is_polled_with_one_event(self, word):
        attempt, kinds = through(self.verifying(name_proved=True), NodeListed(word), NodeListed(word))

        assert (attempt.state, kinds) == (State.VERIFYING, ["node_listed"])

    def test_two_refused_sign_ins_mean_another_cluster(self):
        refused = SignInWanted(signed_in=True, fingerprint=NODE)

        attempt, _ = through(self.verifying(), refused, refused, every=timing.SIGN_IN_RETRY_AFTER)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)

    @pytest.mark.parametrize("nothing", [Silent("connect"), Silent("HTTP 503"), Misbehaved("HTML")])
    def test_silence_while_verifying_lasts_until_the_deadline(self, nothing):
        attempt, _ = through(self.verifying(), nothing, nothing)
        late = decide(attempt, nothing, NOW + timedelta(minutes=30)).snapshot

        assert attempt.state is State.VERIFYING
        assert (late.state, late.reason) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)

    def test_join_needs_the_name_that_the_member_gave(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}
        queued = snapshot(State.QUEUED, **join)

        named, _ = through(queued, MemberNamed(NAME))
        other, _ = through(replace(named, state=State.VERIFYING), ClusterShown("other.example.com"))

        assert next_exchange(queued) is Exchange.MEMBER
        assert (named.state, named.name_from_member, next_exchange(named)) == (State.QUEUED, NAME, Exchange.QUEUE)
        assert other.reason is Reason.FOREIGN_CLUSTER

    def test_event_about_the_member_does_not_read_like_one_about_the_node(self):
        queued = snapshot(State.QUEUED, Action.JOIN, member_address="10.0.0.5:9443", member_fingerprint=CLUSTER)

        outcome = decide(queued, MemberNamed(NAME), NOW)

        assert [event.message for event in outcome.events] == [f"The member 10.0.0.5:9443 belongs to {NAME}"]

    def test_member_that_did_not_answer_is_asked_after_the_join(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        queued, _ = through(snapshot(State.QUEUED, **join), MemberUnavailable("away"))
        verifying = replace(queued, state=State.VERIFYING)
        named, _ = through(verifying, MemberUnavailable("away"), MemberNamed(NAME))

        assert (next_exchange(queued), next_exchange(verifying), next_exchange(named)) == (
            Exchange.QUEUE,
            Exchange.MEMBER,
            Exchange.CLUSTER,
        )

    def test_member_that_refuses_credentials_is_asked_once(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        before, _ = through(snapshot(State.QUEUED, **join), MemberRefused())
        at_the_end, _ = through(sent(State.VERIFYING, **join), MemberRefused())

        assert (before.state, before.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
        assert (at_the_end.state, at_the_end.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
        assert not before.member_asked


class TestEnd:
    def test_silent_node_waits_for_the_operator_at_the_deadline(self):
        late = sent(deadline_at=NOW, silent_since=NOW - timedelta(minutes=9), silent_phase="connect")

        outcome = decide(late, Silent("connect"), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)
        assert choices_of(outcome.snapshot.reason)[0] is Choice.KEEP_WATCHING

    def test_slow_node_waits_for_the_operator_at_the_deadline(self):
        outcome = decide(sent(deadline_at=NOW), seen("creating_cluster", OURS), NOW)

        assert outcome.snapshot.reason is Reason.OVERDUE

    def test_result_at_the_deadline_counts(self):
        proved = sent(State.VERIFYING, deadline_at=NOW, name_proved=True)

        outcome = decide(proved, NodeListed("active"), NOW)

        assert outcome.snapshot.state is State.SUCCEEDED

    def test_clock_set_back_does_not_delay_the_deadline(self):
        long_watched = sent(last_asked_at=NOW, time_left=20.0, deadline_at=NOW + timedelta(hours=9))

        outcome = decide(long_watched, seen("creating_cluster", OURS), NOW + timedelta(seconds=25))

        assert outcome.snapshot.reason is Reason.OVERDUE

    def test_deadline_before_the_post_fails_the_attempt(self):
        outcome = expire(checking(deadline_at=NOW), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, Reason.UNREACHABLE)

    def test_waiting_attempt_fails_after_seven_days(self):
        waiting = replace(sent(), state=State.NEEDS_OPERATOR, waiting_since=NOW, reason=Reason.TRUST)

        assert expire(waiting, NOW + timing.ABANDONED_AFTER - timedelta(seconds=1)) is None
        assert expire(waiting, NOW + timing.ABANDONED_AFTER).snapshot.reason is Reason.ABANDONED

    @pytest.mark.parametrize("state", [state for state in State if state.is_final])
    def test_ended_attempt_has_no_deadline(self, state):
        assert expire(sent(state, deadline_at=NOW), NOW) is None


def test_every_waiting_reason_offers_continuing_and_ending():
    waiting = [reason for reason in Reason if choices_of(reason)]

    assert len(waiting) == 9
    assert all(Choice.STOP_WATCHING in choices_of(reason) and len(choices_of(reason)) > 1 for reason in waiting)


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(0, 0.5), (0.99, 0.5), (1, 1.0), (4.9, 1.0), (5, 2.0), (14.9, 2.0), (15, 5.0), (60, 5.0)]
)
def test_poll_interval_grows_with_age(minutes, seconds):
    assert timing.poll_interval(timedelta(minutes=minutes)) == seconds


class TestStatedName:
    """A join with a stated name joins that cluster or none."""

    MISMATCH = MemberNamed(NAME, stated="other.example.com")

    def test_other_name_before_the_post_fails_the_join(self):
        queued = snapshot(State.QUEUED, Action.JOIN, member_address="10.0.0.4:9443", member_fingerprint=CLUSTER)

        attempt, kinds = through(queued, self.MISMATCH)

        assert (attempt.state, attempt.reason, attempt.found_name) == (State.FAILED, Reason.CLUSTER_MISMATCH, NAME)
        assert kinds == ["failed"]

    def test_other_name_after_the_post_waits_for_the_operator(self):
        known = {"member_address": "10.0.0.4:9443", "member_fingerprint": CLUSTER, "action": Action.JOIN}

        attempt, _ = through(sent(State.VERIFYING, **known), self.MISMATCH)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
