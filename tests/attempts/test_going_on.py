"""A resumed attempt sends nothing by itself and never takes someone else's bootstrap for its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from setup_wizard.attempts import timing
from setup_wizard.attempts.choices import Choice, offered
from setup_wizard.attempts.observations import Conflict, Seen, SignInWanted, UnapprovedCertificate
from setup_wizard.attempts.reducer import Exchange, decide, intend, next_exchange, pins, transitions
from setup_wizard.attempts.states import Reason, State
from tests.attempts.reducer.cases import NODE, OURS, STRANGE, checking, seen, sent

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # hours after the request was sent
SPAN = timedelta(minutes=30)


def waiting(reason, resume_state, **known):
    known = {"submits": 2, "resubmits": 1, "earlier_unknown": True, "accept_new_certificate": True} | known
    attempt = sent(State.NEEDS_OPERATOR, settled_for=30.0, was_validated=True, **known)
    return replace(attempt, reason=reason, resume_state=resume_state.value, waiting_since=NOW)


NOT_ACCEPTED = waiting(Reason.NOT_ACCEPTED, State.UNKNOWN)


@pytest.mark.parametrize("choice", [transitions.keep_watching, transitions.send_again])
class TestAfterALostRequest:
    def poll_again(self, choice, *observations):
        attempt = choice(NOT_ACCEPTED, NOW, "maria", SPAN).snapshot
        for number, observation in enumerate(observations, start=1):
            if attempt.state.is_moving:
                attempt = decide(attempt, observation, NOW + timedelta(seconds=number)).snapshot
        return attempt

    def test_bootstrap_that_starts_afterwards_is_not_ours(self, choice):
        begun = seen("creating_cluster", "2026-11-24T09:59:58Z")

        attempt = self.poll_again(choice, begun, begun)

        assert (attempt.state, attempt.reason) == (State.NEEDS_OPERATOR, Reason.FOREIGN_IN_PROGRESS)
        assert Choice.OURS in offered(attempt.state, attempt.reason, may_have_sent=True)

    def test_new_certificate_afterwards_is_not_accepted_in_advance(self, choice):
        strange = UnapprovedCertificate({"fingerprint": STRANGE})

        attempt = self.poll_again(choice, strange, SignInWanted(fingerprint=STRANGE))

        assert attempt.reason is Reason.TRUST
        assert STRANGE not in pins(attempt)
        assert not attempt.wants_sign_in


def test_409_to_a_request_sent_again_later_is_not_ours():
    again = transitions.send_again(NOT_ACCEPTED, NOW, "maria", SPAN).snapshot
    intended = intend(again, seen("idle").status, NOW).snapshot
    asked = decide(intended, Conflict(), NOW).snapshot

    attempt = decide(asked, seen("creating_cluster", "2026-11-24T09:00:00Z"), NOW).snapshot

    assert attempt.reason is Reason.FOREIGN_IN_PROGRESS


@pytest.mark.parametrize("choice", [transitions.keep_watching, transitions.give_credentials])
@pytest.mark.parametrize("reason", [Reason.LOST_CONTACT, Reason.CREDENTIALS_REFUSED])
def test_resumed_attempt_only_polls(choice, reason):
    attempt = choice(waiting(reason, State.CHECKING), NOW, "maria", SPAN).snapshot

    assert next_exchange(attempt) is not Exchange.SUBMIT
    assert attempt.state is State.UNKNOWN
    assert not attempt.is_settled
    for look in range(1, 60):
        attempt = decide(attempt, seen("idle"), NOW + timedelta(seconds=look)).snapshot
    assert attempt.reason is Reason.NOT_ACCEPTED  # and not sent once more by itself


@pytest.mark.parametrize("refused", [{"not_accepted_at": NOW}, {"refusal": 400}, {"refusal": 401}])
def test_new_certificate_after_a_refusal_is_not_accepted(refused):
    attempt = sent(State.UNKNOWN, accept_new_certificate=True, **refused)

    attempt = decide(attempt, UnapprovedCertificate({"fingerprint": STRANGE}), NOW).snapshot

    assert (attempt.reason, attempt.new_fingerprint) == (Reason.TRUST, "")


def test_keep_watching_is_offered_for_a_certificate_after_the_request():
    attempt = sent(State.IN_PROGRESS, baseline_start_time="", node_state="creating_cluster")
    rested = decide(attempt, UnapprovedCertificate({"fingerprint": STRANGE}), NOW).snapshot

    assert Choice.KEEP_WATCHING in offered(rested.state, rested.reason, may_have_sent=True)
    watched = transitions.keep_watching(rested, NOW, "maria", SPAN).snapshot
    assert (watched.state, pins(watched)) == (State.IN_PROGRESS, frozenset({NODE}))


def test_keep_watching_is_not_offered_for_a_certificate_before():
    rested = decide(checking(), UnapprovedCertificate({"fingerprint": STRANGE}), NOW).snapshot

    assert offered(rested.state, rested.reason, may_have_sent=False) == (Choice.APPROVE_CERTIFICATE, Choice.CANCEL)


class TestRetryingNode:
    def test_error_of_a_retrying_node_counts_later(self):
        attempt = sent(error_patience=timing.error_patience(3, 60), deadline_at=NOW + SPAN)
        failed = Seen(seen("error", OURS, code="connect_error").status, NODE)

        told = {}
        for seconds in (0, 3, 30, 61, 62):
            attempt = decide(attempt, failed, NOW + timedelta(seconds=seconds)).snapshot
            told[seconds] = attempt.state

        assert told == {0: "in_progress", 3: "in_progress", 30: "in_progress", 61: "in_progress", 62: "failed"}

    @pytest.mark.parametrize(("retries", "apart"), [(None, None), (None, 60), (0, 60), (3, None)])
    def test_error_without_retries_counts_after_two_seconds(self, retries, apart):
        assert timing.error_patience(retries, apart) == timing.ERROR_READS_APART.total_seconds()
