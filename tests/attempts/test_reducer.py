"""What an observation means: rows of docs/failure-modes.md, one sentence each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterBusy,
    ClusterFree,
    ClusterShown,
    Conflict,
    Forbidden,
    MemberMute,
    MemberNamed,
    Misbehaved,
    NodeListed,
    NotSent,
    Redirected,
    Rejected,
    SecretGone,
    Seen,
    SignInWanted,
    Silent,
    StrangeCertificate,
    Unsupported,
)
from setup_wizard.attempts.reducer import Standing, Step, choosing, decide, expire, intend, may_submit, pins, step
from setup_wizard.attempts.states import Choice, Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import State as NodeState
from setup_wizard.bootstrap.status import Status

NOW = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
BEFORE, OURS, LATER = "2026-11-23T14:00:00Z", "2026-11-23T14:02:04Z", "2026-11-23T14:05:00Z"
NODE, CLUSTER, STRANGE = "AA:01", "BB:02", "CC:03"
NAME = "redis-prod.example.com"
QUIET = timing.QUIET.total_seconds()


def seen(word, start_time=None, *, signed_in=False, fingerprint=NODE, code=None, **details):
    status = Status(NodeState(word), word, start_time, None, code, details)
    return Seen(status, fingerprint, signed_in=signed_in)


def standing(state, action=Action.CREATE, **known):
    known = {"started_at": NOW, "deadline_at": NOW + timedelta(minutes=30)} | known
    return Standing(state=state, action=action, fingerprint=NODE, **known)


def checking(**known):
    return standing(State.CHECKING, **known)


def sent(state=State.IN_PROGRESS, **known):
    known = {"submits": 1, "submit_intent_at": NOW, "baseline_state": "idle"} | known
    return standing(state, **known)


def through(attempt, *observations, every=timedelta(seconds=1)):
    """Show it one observation after another; give the last outcome and all notes."""
    notes, now = [], NOW
    for observation in observations:
        outcome = decide(attempt, observation, now)
        attempt, now = outcome.standing, now + every
        notes += outcome.notes
    return attempt, [note.kind for note in notes]


class TestTheQueue:
    def test_a_free_cluster_lets_it_out(self):
        outcome = decide(standing(State.QUEUED, started_at=None, deadline_at=None), ClusterFree(), NOW)

        assert (outcome.standing.state, outcome.standing.started_at, outcome.wait) == (State.CHECKING, NOW, 0)

    def test_a_busy_one_keeps_it_and_says_for_whom_once(self):
        queued = standing(State.QUEUED, started_at=None, deadline_at=None)

        waiting, notes = through(queued, ClusterBusy("10.0.0.5:9443"), ClusterBusy("10.0.0.5:9443"))

        assert (waiting.state, waiting.waits_for, notes) == (State.QUEUED, "10.0.0.5:9443", ["waiting"])

    def test_its_deadline_does_not_run_while_it_waits(self):
        queued = standing(State.QUEUED, started_at=None, deadline_at=None)

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
            attempt, now = outcome.standing, now + timedelta(seconds=outcome.wait)

        assert waits == [1, 1, 2, 4, 8, 15, 15, 15]

    def test_after_five_minutes_it_is_given_up(self):
        waiting = checking(silent_since=NOW - timing.UNREACHABLE_AFTER, silent_phase="connect")

        outcome = decide(waiting, Silent("tls"), NOW)

        assert (outcome.standing.state, outcome.standing.reason) == (State.FAILED, Reason.UNREACHABLE)
        assert outcome.notes[-1].data["phase"] == "tls"

    @pytest.mark.parametrize(
        ("observation", "reason"),
        [
            (Misbehaved("no bootstrap_status"), Reason.NOT_A_NODE),
            (Redirected(302, "https://portal.example.com"), Reason.REDIRECTED),
            (Forbidden("169.254.169.254 is not allowed"), Reason.FORBIDDEN_ADDRESS),
            (SignInWanted(), Reason.ALREADY_IN_CLUSTER),
            (seen("completed", BEFORE), Reason.ALREADY_IN_CLUSTER),
            (SecretGone(), Reason.SECRET_UNAVAILABLE),
        ],
    )
    def test_it_fails_with_the_reason_and_nothing_was_sent(self, observation, reason):
        outcome = decide(checking(), observation, NOW)

        assert (outcome.standing.state, outcome.standing.reason) == (State.FAILED, reason)
        assert outcome.standing.ended_at == NOW

    @pytest.mark.parametrize("word", ["initiated", "creating_cluster", "joining_cluster", "polishing"])
    def test_somebody_elses_bootstrap_is_the_operators_to_judge(self, word):
        outcome = decide(checking(), seen(word, BEFORE), NOW)

        assert (outcome.standing.state, outcome.standing.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
        assert outcome.standing.node_state == word
        assert not outcome.standing.reason.keeps_secret

    def test_another_certificate_stops_it(self):
        shown = StrangeCertificate({"fingerprint": STRANGE, "subject": "CN=other"})

        outcome = decide(checking(accept_new_certificate=True), shown, NOW)

        assert (outcome.standing.state, outcome.standing.reason) == (State.NEEDS_OPERATOR, Reason.TRUST)
        assert outcome.standing.seen_certificate["fingerprint"] == STRANGE
        assert Choice.APPROVE_CERTIFICATE in outcome.standing.reason.choices


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

        assert (outcome.standing.state, outcome.standing.reason) == (State.FAILED, reason)


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

        assert (attempt.state, attempt.provisional) == (State.IN_PROGRESS, True)
        assert "adopted" in notes

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
        assert attempt.reason.choices[:3] == (Choice.KEEP_WATCHING, Choice.OURS, Choice.NOT_OURS)
        assert not attempt.reason.keeps_secret

    def test_to_a_second_one_after_a_lost_one_it_is_ours(self):
        again = sent(State.SUBMITTING, submits=2, earlier_unknown=True)

        attempt, notes = through(again, Conflict(), seen("initiated", OURS))

        assert (attempt.state, attempt.provisional, attempt.is_doubtful) == (State.IN_PROGRESS, True, False)
        assert "adopted" in notes

    def test_one_that_began_as_ours_was_sent_is_watched_in_doubt(self):
        conflict = decide(sent(State.SUBMITTING), Conflict(), NOW + timedelta(seconds=5)).standing

        attempt, notes = through(conflict, seen("initiated", OURS))

        assert (attempt.state, attempt.is_doubtful) == (State.IN_PROGRESS, True)
        assert "doubtful" in notes

    def test_in_doubt_an_error_is_not_called_ours(self):
        doubtful = sent(provisional=True, conflict_at=NOW, began=True, accepted_start_time=OURS)

        attempt, _ = through(doubtful, *[seen("error", OURS, code="path_error")] * 2, every=timing.ERROR_READS_APART)

        assert (attempt.reason, attempt.error_code) == (Reason.FOREIGN_FAILED, "")

    def test_no_new_certificate_is_believed_before_a_look_tells_whose_it_is(self):
        asked, _ = through(sent(accept_new_certificate=True), Conflict())

        assert decide(asked, StrangeCertificate({"fingerprint": STRANGE}), NOW).standing.reason is Reason.TRUST

    def test_in_doubt_no_new_certificate_is_believed(self):
        doubtful = sent(provisional=True, conflict_at=NOW, accept_new_certificate=True)

        assert decide(doubtful, StrangeCertificate({"fingerprint": STRANGE}), NOW).standing.reason is Reason.TRUST

    def test_it_is_never_followed_by_a_second_request_of_its_own(self):
        refused = sent(State.UNKNOWN, conflict_at=NOW, quiet=QUIET)

        attempt, _ = through(refused, seen("idle"), seen("idle"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)

    def test_what_an_operator_calls_ours_still_has_to_be_proved(self):
        resting = sent(State.NEEDS_OPERATOR, reason=Reason.FOREIGN_IN_PROGRESS, rested_from="unknown", conflict_at=NOW)
        claimed = choosing.ours(resting, NOW, "maria", timedelta(minutes=30)).standing

        attempt, _ = through(claimed, seen("completed", OURS), ClusterShown("other.example.com"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)


class TestAnUnknownOutcome:
    def test_a_changed_start_time_is_adopted(self):
        attempt, notes = through(sent(State.UNKNOWN), seen("initiated", OURS))

        assert (attempt.state, attempt.accepted_start_time) == (State.IN_PROGRESS, OURS)
        assert notes == ["adopted", "node_state"]

    @pytest.mark.parametrize("state", [State.SUBMITTING, State.UNKNOWN])
    def test_no_trace_after_the_quiet_time_is_sent_once_more_by_itself(self, state):
        attempt, notes = through(sent(state, quiet=QUIET), seen("idle"), seen("idle"))

        assert (attempt.state, attempt.resubmits, notes) == (State.CHECKING, 1, ["resubmitting"])
        assert may_submit(attempt, seen("idle").status)
        assert not may_submit(attempt, seen("error", OURS).status)

    def test_a_second_time_it_is_the_operators_to_say(self):
        attempt, notes = through(sent(State.UNKNOWN, quiet=QUIET, resubmits=1, submits=2), seen("idle"), seen("idle"))

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert attempt.reason.choices[0] is Choice.SEND_AGAIN
        assert attempt.reason.keeps_secret
        assert notes == ["needs_operator"]

    def test_a_node_that_has_changed_its_certificate_is_not_sent_it_again(self):
        swapped = sent(State.UNKNOWN, quiet=QUIET, new_fingerprint=CLUSTER)

        attempt, _ = through(swapped, seen("idle"), seen("idle"))

        assert attempt.reason is Reason.NOT_ACCEPTED

    def test_a_second_intent_has_a_baseline_and_a_quiet_time_of_its_own(self):
        first = sent(State.UNKNOWN, quiet=QUIET)

        second = intend(first, seen("idle").status, NOW).standing

        assert (second.submits, second.quiet, second.earlier_unknown) == (2, 0, True)

    def test_a_clock_that_jumps_is_no_quiet_time(self):
        just_sent = sent(State.UNKNOWN, last_asked_at=NOW)

        forward = decide(just_sent, seen("idle"), NOW + timedelta(hours=1)).standing
        back = decide(just_sent, seen("idle"), NOW - timedelta(hours=1)).standing

        assert (forward.quiet, back.quiet) == (timing.QUIET_STEP.total_seconds(), 0)

    def test_one_that_jumps_again_and_again_is_none_where_a_counter_tells(self):
        attempt = sent(State.UNKNOWN, last_asked_at=NOW, time_left=60.0)

        for jump in range(1, 9):
            a_minute_on = NOW + jump * timedelta(minutes=1)
            attempt = decide(attempt, seen("idle"), a_minute_on, timedelta(seconds=0.5)).standing

        assert (attempt.state, attempt.quiet, attempt.time_left) == (State.UNKNOWN, 4.0, 56.0)

    def test_a_counter_that_ran_on_while_the_clock_stood_is_none_either(self):
        just_sent = sent(State.UNKNOWN, last_asked_at=NOW)

        attempt = decide(just_sent, seen("idle"), NOW, timedelta(seconds=9)).standing

        assert attempt.quiet == 0

    def test_a_second_one_that_was_held_back_leaves_the_first_in_doubt(self):
        attempt, _ = through(sent(State.SUBMITTING, submits=2, earlier_unknown=True), NotSent())

        assert (attempt.state, attempt.submits, attempt.submit_intent_at) == (State.CHECKING, 1, NOW)
        assert not may_submit(attempt, seen("error", OURS).status)

    def test_within_the_quiet_time_nothing_is_concluded(self):
        attempt, _ = through(sent(State.UNKNOWN, quiet=QUIET - 2), seen("idle"), seen("idle"))

        assert attempt.state is State.UNKNOWN

    def test_one_look_is_not_enough(self):
        attempt, _ = through(sent(State.UNKNOWN, quiet=QUIET), seen("idle"))

        assert attempt.state is State.UNKNOWN

    def test_silence_between_two_looks_starts_them_anew(self):
        attempt, _ = through(sent(State.UNKNOWN, quiet=QUIET), seen("idle"), Silent("connect"), seen("idle"))

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
        assert "adopted" in notes


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

        assert (asked.state, asked.signs_in, step(asked)) == (State.VERIFYING, True, Step.CLUSTER)
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
        assert notes == ["silent", "heard_again"]

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
        watched = sent(foreign=True)

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


class TestTheProof:
    """Row 38."""

    def verifying(self, **known):
        return sent(State.VERIFYING, cluster_name=NAME, signs_in=True, began=True, **known)

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

    def test_a_refused_sign_in_means_another_cluster_after_half_a_minute(self):
        refused = SignInWanted(signed_in=True, fingerprint=NODE)

        attempt, _ = through(self.verifying(), refused, refused, every=timing.SIGN_IN_GRACE)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)

    @pytest.mark.parametrize("nothing", [Silent("connect"), Silent("HTTP 503"), Misbehaved("HTML")])
    def test_silence_is_waited_for_until_the_deadline(self, nothing):
        attempt, _ = through(self.verifying(), nothing, nothing)
        late = decide(attempt, nothing, NOW + timedelta(minutes=30)).standing

        assert attempt.state is State.VERIFYING
        assert (late.state, late.reason) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)

    def test_a_join_is_measured_by_the_name_that_the_member_gave_before(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}
        queued = standing(State.QUEUED, **join)

        named, _ = through(queued, MemberNamed(NAME))
        other, _ = through(replace(named, state=State.VERIFYING), ClusterShown("other.example.com"))

        assert step(queued) is Step.MEMBER
        assert (named.state, named.given_name, step(named)) == (State.QUEUED, NAME, Step.QUEUE)
        assert other.reason is Reason.FOREIGN_CLUSTER

    def test_a_member_that_could_not_be_asked_before_is_asked_at_the_end(self):
        join = {"action": Action.JOIN, "member_address": "10.0.0.5:9443", "member_fingerprint": CLUSTER}

        queued, _ = through(standing(State.QUEUED, **join), MemberMute("away"))
        verifying = replace(queued, state=State.VERIFYING)
        named, _ = through(verifying, MemberMute("away"), MemberNamed(NAME))

        assert (step(queued), step(verifying), step(named)) == (Step.QUEUE, Step.MEMBER, Step.CLUSTER)


class TestTheSignInInTheMiddle:
    def test_the_first_401_is_answered_with_the_sign_in_at_once(self):
        outcome = decide(sent(), SignInWanted(fingerprint=NODE), NOW)

        assert (outcome.standing.signs_in, outcome.wait) == (True, 0)
        assert [note.kind for note in outcome.notes] == ["sign_in_wanted"]

    def test_a_refused_sign_in_is_tried_for_thirty_seconds(self):
        refused = SignInWanted(signed_in=True, fingerprint=NODE)

        attempt, notes = through(sent(signs_in=True), refused, refused, refused, every=timedelta(seconds=10))

        assert (attempt.state, notes) == (State.IN_PROGRESS, ["sign_in_refused"])

    def test_then_the_operator_is_asked(self):
        refused = SignInWanted(signed_in=True, fingerprint=NODE)

        attempt, _ = through(sent(signs_in=True), refused, refused, every=timing.SIGN_IN_GRACE)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
        assert attempt.reason.choices[0] is Choice.CREDENTIALS

    def test_a_success_in_between_ends_the_thirty_seconds(self):
        attempt, _ = through(
            sent(signs_in=True, refused_since=NOW - timedelta(seconds=29)),
            seen("creating_cluster", OURS, signed_in=True),
            SignInWanted(signed_in=True, fingerprint=NODE),
        )

        assert attempt.state is State.IN_PROGRESS


class TestTheCertificateSwap:
    SHOWN = StrangeCertificate({"fingerprint": STRANGE})

    def test_a_create_accepts_one_new_certificate_if_it_was_ticked(self):
        outcome = decide(sent(accept_new_certificate=True), self.SHOWN, NOW)

        assert outcome.standing.state is State.IN_PROGRESS
        assert pins(outcome.standing) == {NODE, STRANGE}
        assert outcome.notes[0].data["new"] == STRANGE

    def test_without_the_tick_it_asks(self):
        outcome = decide(sent(), self.SHOWN, NOW)

        assert outcome.standing.reason is Reason.TRUST
        assert pins(outcome.standing) == {NODE}

    def test_a_second_change_asks_even_with_the_tick(self):
        outcome = decide(sent(accept_new_certificate=True, new_fingerprint=CLUSTER), self.SHOWN, NOW)

        assert outcome.standing.reason is Reason.TRUST

    def test_a_join_believes_the_clusters_certificate_only_after_the_intent(self):
        join = {"action": Action.JOIN, "member_fingerprint": CLUSTER, "accept_new_certificate": True}

        assert pins(checking(**join)) == {NODE}
        assert pins(sent(State.SUBMITTING, **join)) == {NODE, CLUSTER}

    def test_a_join_never_accepts_any_other_in_advance(self):
        join = sent(action=Action.JOIN, member_fingerprint=CLUSTER, accept_new_certificate=True)

        outcome = decide(join, self.SHOWN, NOW)

        assert outcome.standing.reason is Reason.TRUST

    def test_the_moment_of_the_swap_is_an_event(self):
        join = sent(action=Action.JOIN, member_fingerprint=CLUSTER)

        attempt, notes = through(
            join, seen("joining_cluster", OURS, fingerprint=CLUSTER), SignInWanted(fingerprint=CLUSTER)
        )

        assert attempt.new_fingerprint == CLUSTER
        assert notes.count("certificate_replaced") == 1


class TestTheEnd:
    def test_a_silent_node_rests_at_the_deadline(self):
        late = sent(deadline_at=NOW, silent_since=NOW - timedelta(minutes=9), silent_phase="connect")

        outcome = decide(late, Silent("connect"), NOW)

        assert (outcome.standing.state, outcome.standing.reason) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)
        assert outcome.standing.reason.choices[0] is Choice.KEEP_WATCHING

    def test_one_that_answers_but_does_not_finish_rests_too(self):
        outcome = decide(sent(deadline_at=NOW), seen("creating_cluster", OURS), NOW)

        assert outcome.standing.reason is Reason.OVERDUE

    def test_a_verdict_that_comes_with_the_deadline_counts(self):
        proved = sent(State.VERIFYING, deadline_at=NOW, name_proved=True)

        outcome = decide(proved, NodeListed("active"), NOW)

        assert outcome.standing.state is State.SUCCEEDED

    def test_a_clock_that_was_put_back_does_not_put_off_the_deadline(self):
        long_watched = sent(last_asked_at=NOW, time_left=20.0, deadline_at=NOW + timedelta(hours=9))

        outcome = decide(long_watched, seen("creating_cluster", OURS), NOW + timedelta(seconds=25))

        assert outcome.standing.reason is Reason.OVERDUE

    def test_nothing_sent_by_the_deadline_is_a_failure(self):
        outcome = expire(checking(deadline_at=NOW), NOW)

        assert (outcome.standing.state, outcome.standing.reason) == (State.FAILED, Reason.UNREACHABLE)

    def test_a_resting_attempt_is_given_up_after_seven_days(self):
        resting = replace(sent(), state=State.NEEDS_OPERATOR, rested_at=NOW, reason=Reason.TRUST)

        assert expire(resting, NOW + timing.ABANDONED_AFTER - timedelta(seconds=1)) is None
        assert expire(resting, NOW + timing.ABANDONED_AFTER).standing.reason is Reason.ABANDONED

    @pytest.mark.parametrize("state", [state for state in State if state.is_final])
    def test_a_final_attempt_has_no_deadline(self, state):
        assert expire(sent(state, deadline_at=NOW), NOW) is None


def test_every_reason_to_rest_offers_a_way_on_and_a_way_out():
    resting = [reason for reason in Reason if reason.choices]

    assert len(resting) == 9
    assert all(Choice.STOP_WATCHING in reason.choices and len(reason.choices) > 1 for reason in resting)


@pytest.mark.parametrize(
    ("minutes", "seconds"), [(0, 0.5), (0.99, 0.5), (1, 1.0), (4.9, 1.0), (5, 2.0), (14.9, 2.0), (15, 5.0), (60, 5.0)]
)
def test_looks_grow_further_apart_with_age(minutes, seconds):
    assert timing.poll_interval(timedelta(minutes=minutes)) == seconds
