"""The sign-in that a joining node makes by itself, and how it is counted."""

from types import SimpleNamespace

import pytest

from setup_wizard.attempts import engine, sign_ins
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, SentSignIn, SignInOutcome
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import Lockout
from tests.attempts.conftest import PASSWORD, follow, to_the_post
from tests.nodes.servers import IDLE, Server, answer, running
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db

USERNAME = "admin@example.com"
RIGHT = Credentials(username=USERNAME, password=Secret(PASSWORD))


@pytest.fixture
def cluster(start, fresh_node):
    follow(start(fresh_node))
    return fresh_node


@pytest.fixture
def slow(tmp_path):
    """A node that stays in the middle of its join."""
    with start_node(tmp_path / "slow", pace=30) as node:
        yield node


def account_of(attempt):
    return sign_ins.Account.of(attempt, USERNAME)


def outcomes():
    """The outcomes of all sign-ins that were not accepted."""
    return [row.result for row in SentSignIn.objects.exclude(outcome=SignInOutcome.ACCEPTED)]


def overdue(attempt):
    Attempt.objects.filter(pk=attempt.pk).update(deadline_at=attempt.created_at)
    return follow(attempt)


class TestJoinThatEnds:
    """Without an outcome of the attempt, that of the sign-in is unknown: it counts, but not forever."""

    def test_stopped_join_counts_its_sign_in_as_lost(self, start, cluster, slow, maria):
        attempt = follow(start(slow, member=cluster), until=lambda attempt: attempt.may_have_sent)
        engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria)

        assert outcomes() == [SignInOutcome.LOST]

    def test_overdue_join_counts_its_sign_in_as_lost_once(self, start, cluster, slow, maria):
        attempt = overdue(follow(start(slow, member=cluster), until=lambda attempt: attempt.may_have_sent))
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.OVERDUE)
        waiting = SentSignIn.objects.get(bootstrap_of=attempt.pk)
        engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria)

        assert waiting.result is SignInOutcome.LOST
        assert outcomes() == [SignInOutcome.LOST]
        assert SentSignIn.objects.get(pk=waiting.pk).at == waiting.at

    def test_outcome_after_the_wait_still_counts(self, start, cluster, slow, maria):
        attempt = overdue(follow(start(slow, member=cluster), until=lambda attempt: attempt.may_have_sent))
        engine.choose(attempt.pk, Choice.KEEP_WATCHING, by=maria)
        attempt.refresh_from_db()
        sign_ins.save_bootstrap_outcome(attempt.pk, refused=True)

        assert outcomes() == [SignInOutcome.REFUSED]

    def test_join_that_was_never_sent_releases_its_sign_in(self, start, cluster, slow, maria):
        attempt = to_the_post(start(slow, member=cluster))
        sign_ins.reserve(account_of(attempt), RIGHT, bootstrap_of=attempt.pk)  # the worker was killed right after
        engine.choose(attempt.pk, Choice.CANCEL, by=maria)

        assert outcomes() == []

    def test_next_sign_in_is_blocked_by_it_without_waiting(self, start, cluster, slow, maria):
        attempt = follow(start(slow, member=cluster), until=lambda attempt: attempt.may_have_sent)
        sign_ins.save_policy(account_of(attempt), Lockout(threshold=3, window=900))  # one of ours may be refused
        engine.choose(attempt.pk, Choice.STOP_WATCHING, by=maria)

        with pytest.raises(sign_ins.SignInBlocked) as block:
            sign_ins.reserve(account_of(attempt), RIGHT)

        assert not block.value.is_busy
        assert "refused or did not answer 1 sign-in" in block.value.message


@pytest.mark.parametrize(("status", "expected"), [(500, [SignInOutcome.LOST]), (502, [SignInOutcome.LOST]), (404, [])])
def test_check_that_ends_in_a_server_error_may_have_signed_in(start, cluster, status, expected):
    def script(peer):
        while request := peer.read_request():
            if "/validate/" in request.path:
                peer.send(answer(status, {"description": "upstream"}))
            else:
                peer.answer(200, IDLE)

    with running(Server(script)) as node:
        to_the_post(start(SimpleNamespace(address=str(node.endpoint.address)), member=cluster))

    assert outcomes() == expected
