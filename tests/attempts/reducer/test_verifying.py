"""What proves a success, and how everything else ends: rows of docs/failure-modes.md, one sentence each."""

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
from setup_wizard.attempts.reducer import Step, decide, expire, step
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from tests.attempts.reducer.cases import CLUSTER, NAME, NODE, NOW, OURS, checking, seen, sent, snapshot, through


class TestTheProof:
    """Row 38."""

    def verifying(self, **known):
        return sent(State.VERIFYING, cluster_name=NAME, wants_sign_in=True, began=True, **known)

    def test_another_name_is_another_cluster(self):
        attempt, _ = through(self.verifying(), ClusterShown("other.example.com"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
        assert attempt.found_name == "other.example.com"

    @pytest.mark.parametrize("spelling", ["REDIS-PROD.example.com", "redis-prod.example.com."])
    def test_case_and_a_last_dot_are_no_difference(self, spelling):
        attempt, _ = through(self.verifying(), ClusterShown(spelling))

        assert attempt.name_proved

    @pytest.mark.parametrize("word", ["provisioning", "down", "decommissioning", ""])
    def test_a_node_that_is_not_listed_as_active_is_waited_for_and_told_once(self, word):
        attempt, notes = through(self.verifying(name_proved=True), NodeListed(word), NodeListed(word))

        assert (attempt.state, notes) == (State.VERIFYING, ["node_listed"])

    def test_a_sign_in_refused_twice_means_another_cluster(self):
        refused = SignInWanted(signed_in=True, fingerprint=NODE)

        attempt, _ = through(self.verifying(), refused, refused, every=timing.SIGN_IN_RETRY_AFTER)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)

    @pytest.mark.parametrize("nothing", [Silent("connect"), Silent("HTTP 503"), Misbehaved("HTML")])
    def test_silence_is_waited_for_until_the_deadline(self, nothing):
        attempt, _ = through(self.verifying(), nothing, nothing)
        late = decide(attempt, nothing, NOW + timedelta(minutes=30)).snapshot

        assert attempt.state is State.VERIFYING
        assert (late.state, late.reason) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)

    def test_a_join_is_measured_by_the_name_that_the_member_gave_before(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}
        queued = snapshot(State.QUEUED, **join)

        named, _ = through(queued, MemberNamed(NAME))
        other, _ = through(replace(named, state=State.VERIFYING), ClusterShown("other.example.com"))

        assert step(queued) is Step.MEMBER
        assert (named.state, named.given_name, step(named)) == (State.QUEUED, NAME, Step.QUEUE)
        assert other.reason is Reason.FOREIGN_CLUSTER

    def test_a_member_that_could_not_be_asked_before_is_asked_at_the_end(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        queued, _ = through(snapshot(State.QUEUED, **join), MemberUnavailable("away"))
        verifying = replace(queued, state=State.VERIFYING)
        named, _ = through(verifying, MemberUnavailable("away"), MemberNamed(NAME))

        assert (step(queued), step(verifying), step(named)) == (Step.QUEUE, Step.MEMBER, Step.CLUSTER)

    def test_a_member_that_refuses_the_credentials_is_asked_once(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        before, _ = through(snapshot(State.QUEUED, **join), MemberRefused())
        at_the_end, _ = through(sent(State.VERIFYING, **join), MemberRefused())

        assert (before.state, before.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
        assert (at_the_end.state, at_the_end.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
        assert not before.member_asked


class TestTheEnd:
    def test_a_silent_node_rests_at_the_deadline(self):
        late = sent(deadline_at=NOW, silent_since=NOW - timedelta(minutes=9), silent_phase="connect")

        outcome = decide(late, Silent("connect"), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)
        assert choices_of(outcome.snapshot.reason)[0] is Choice.KEEP_WATCHING

    def test_one_that_answers_but_does_not_finish_rests_too(self):
        outcome = decide(sent(deadline_at=NOW), seen("creating_cluster", OURS), NOW)

        assert outcome.snapshot.reason is Reason.OVERDUE

    def test_a_verdict_that_comes_with_the_deadline_counts(self):
        proved = sent(State.VERIFYING, deadline_at=NOW, name_proved=True)

        outcome = decide(proved, NodeListed("active"), NOW)

        assert outcome.snapshot.state is State.SUCCEEDED

    def test_a_clock_that_was_put_back_does_not_put_off_the_deadline(self):
        long_watched = sent(last_asked_at=NOW, time_left=20.0, deadline_at=NOW + timedelta(hours=9))

        outcome = decide(long_watched, seen("creating_cluster", OURS), NOW + timedelta(seconds=25))

        assert outcome.snapshot.reason is Reason.OVERDUE

    def test_nothing_sent_by_the_deadline_is_a_failure(self):
        outcome = expire(checking(deadline_at=NOW), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, Reason.UNREACHABLE)

    def test_a_resting_attempt_is_given_up_after_seven_days(self):
        resting = replace(sent(), state=State.NEEDS_OPERATOR, waiting_since=NOW, reason=Reason.TRUST)

        assert expire(resting, NOW + timing.ABANDONED_AFTER - timedelta(seconds=1)) is None
        assert expire(resting, NOW + timing.ABANDONED_AFTER).snapshot.reason is Reason.ABANDONED

    @pytest.mark.parametrize("state", [state for state in State if state.is_final])
    def test_a_final_attempt_has_no_deadline(self, state):
        assert expire(sent(state, deadline_at=NOW), NOW) is None


def test_every_reason_to_rest_offers_a_way_on_and_a_way_out():
    resting = [reason for reason in Reason if choices_of(reason)]

    assert len(resting) == 9
    assert all(Choice.STOP_WATCHING in choices_of(reason) and len(choices_of(reason)) > 1 for reason in resting)


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(0, 0.5), (0.99, 0.5), (1, 1.0), (4.9, 1.0), (5, 2.0), (14.9, 2.0), (15, 5.0), (60, 5.0)]
)
def test_looks_grow_further_apart_with_age(minutes, seconds):
    assert timing.poll_interval(timedelta(minutes=minutes)) == seconds


class TestTheStatedName:
    """A join that names its cluster goes there or nowhere."""

    MISMATCH = MemberNamed(NAME, stated="other.example.com")

    def test_before_the_post_it_ends_the_join(self):
        queued = snapshot(State.QUEUED, Action.JOIN, member_address="10.0.0.4:9443", member_fingerprint=CLUSTER)

        attempt, kinds = through(queued, self.MISMATCH)

        assert (attempt.state, attempt.reason, attempt.found_name) == (State.FAILED, Reason.CLUSTER_MISMATCH, NAME)
        assert kinds == ["failed"]

    def test_after_the_post_it_is_the_operators_to_decide(self):
        known = {"member_address": "10.0.0.4:9443", "member_fingerprint": CLUSTER, "action": Action.JOIN}

        attempt, _ = through(sent(State.VERIFYING, **known), self.MISMATCH)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)
