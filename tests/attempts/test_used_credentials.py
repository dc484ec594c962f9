"""A node may quote a password that it got earlier, after other credentials are in use."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import engine, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.engine.lease import save_decision
from setup_wizard.attempts.models import Attempt, ReducerState, SealedCredentials, UsedCredentials
from setup_wizard.attempts.reducer import wait_for_operator
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.worker import schedule
from tests.attempts.conftest import PASSWORD, follow, tick
from tests.attempts.test_scrubbing import stored
from tests.nodes.servers import IDLE, Server, answer
from tests.spellings import leaks

pytestmark = pytest.mark.django_db

SECOND, THIRD = "quiet/otters+2nd", "loud\tgeese'3rd"


class QuotingNode:
    """Accepts every request; when it is told to fail, it quotes the first password that it got."""

    def __init__(self):
        self.first, self.state, self.runs = "", "idle", 0
        self.server = Server(self._serve)
        self.address = str(self.server.address)

    def _serve(self, peer):
        while request := peer.read_request():
            if request.method == "POST" and "/validate/" not in request.path:
                self.first = self.first or json.loads(request.body)["credentials"]["password"]
                self.state, self.runs = "creating_cluster", self.runs + 1
            if request.method == "POST":
                peer.send(answer(404 if "/validate/" in request.path else 200, body=b""))
                continue
            document = json.loads(json.dumps(IDLE))
            document["bootstrap_status"] = {"state": self.state}
            if self.runs:
                document["bootstrap_status"]["start_time"] = f"2026-11-23T14:02:0{self.runs}Z"
            if self.state == "error":
                details = {"message": f"cannot sign in with {self.first}", "hint": "look at the log"}
                document["bootstrap_status"] |= {"error_code": "config_error", "error_details": details}
            peer.send(answer(200, document))


@pytest.fixture
def node():
    node = QuotingNode()
    yield node
    node.server.stop()


@pytest.fixture
def refused(start, node):
    """A running attempt whose node refuses the credentials."""
    attempt = follow(start(node), until=lambda attempt: attempt.node_state == "creating_cluster")
    refuse(attempt)
    return attempt


def refuse(attempt):
    snapshot = engine.lease.snapshot_of(attempt)
    save_decision(
        attempt,
        snapshot,
        wait_for_operator(snapshot, Reason.CREDENTIALS_REFUSED, timezone.now(), "refused"),
        timezone.now(),
    )


def give(attempt, password, by):
    credentials = Credentials(username="admin@example.com", password=Secret(password))
    engine.give_credentials(attempt.pk, credentials, by=by)
    attempt.refresh_from_db()


def fail(attempt, node):
    """Make the node fail, and poll once: its message is stored at the first poll."""
    node.state = "error"
    tick(attempt)
    assert attempt.error_code == "config_error"
    return attempt


def test_first_of_two_passwords_is_masked(refused, node, maria):
    give(refused, SECOND, maria)

    fail(refused, node)

    assert refused.error_details["hint"] == "look at the log"
    assert leaks(stored(refused), PASSWORD) == []


def test_all_three_passwords_are_masked(refused, node, maria):
    give(refused, SECOND, maria)
    refuse(refused)
    give(refused, THIRD, maria)
    node.first += f" {SECOND} {json.dumps(THIRD)}"

    fail(refused, node)

    assert refused.error_details["hint"] == "look at the log"
    for password in (PASSWORD, SECOND, THIRD):
        assert leaks(stored(refused), password) == []


def test_second_attempt_masks_the_password_of_the_first(start, node):
    first = fail(follow(start(node), until=lambda attempt: attempt.node_state == "creating_cluster"), node)
    first = follow(first)
    assert first.status is State.FAILED

    second = follow(start(node, password=SECOND), until=lambda attempt: attempt.node_state == "creating_cluster")
    fail(second, node)

    assert second.error_details["hint"] == "look at the log"
    assert leaks(stored(second), PASSWORD) == []


def test_message_is_dropped_a_day_after_the_password_was_sent(refused, node, maria):
    give(refused, SECOND, maria)
    UsedCredentials.objects.update(expires_at=timezone.now())
    schedule.sweep(timezone.now())

    fail(refused, node)

    assert UsedCredentials.objects.get().sealed == ""
    assert refused.error_details == {}
    assert refused.accepted_start_time == "2026-11-23T14:02:01Z"
    assert leaks(stored(refused), PASSWORD) == []


def test_message_is_dropped_without_stored_credentials(refused, node, maria):
    give(refused, SECOND, maria)
    UsedCredentials.objects.all().delete()
    SealedCredentials.objects.all().delete()
    ReducerState.objects.update(wants_sign_in=False)

    fail(refused, node)

    assert refused.error_details == {}


def test_message_is_dropped_when_the_key_is_gone(refused, node, maria):
    give(refused, SECOND, maria)
    UsedCredentials.objects.update(sealed="v1:00000000:AAAA")

    fail(refused, node)

    assert refused.error_details == {}


def test_used_credentials_expire_a_day_after_they_were_sent(refused):
    row = UsedCredentials.objects.get(owner=refused.pk)

    assert row.expires_at == refused.reducer_state.last_asked_at + timedelta(hours=24)
    assert PASSWORD not in row.sealed


def test_used_credentials_cannot_be_used_to_sign_in(refused):
    row = UsedCredentials.objects.get(owner=refused.pk)
    SealedCredentials.objects.create(owner=row.owner, sealed=row.sealed, expires_at=row.expires_at)

    with pytest.raises(vault.SecretUnavailable):
        vault.open_for(refused.pk)


def test_used_credentials_of_an_ended_attempt_are_deleted(start, node):
    attempt = follow(fail(follow(start(node), until=lambda each: each.node_state == "creating_cluster"), node))
    assert attempt.status is State.FAILED
    assert UsedCredentials.objects.get().sealed

    schedule.sweep(timezone.now() + timedelta(hours=24, seconds=1))

    assert not UsedCredentials.objects.exists()


def test_success_keeps_no_credentials(start, fresh_node):
    attempt = follow(start(fresh_node))

    assert attempt.status is State.SUCCEEDED
    assert not UsedCredentials.objects.exists()


def test_cancelled_attempt_in_the_queue_keeps_no_credentials(start, fresh_node, maria):
    attempt = start(fresh_node)

    engine.choose(attempt.pk, Choice.CANCEL, by=maria)

    assert not UsedCredentials.objects.exists()


def test_rotation_includes_used_credentials(refused, settings):
    old = settings.SETUP_WIZARD_CREDENTIAL_KEYS
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = ["bmV3IGtleSBuZXcga2V5IG5ldyBrZXkgbmV3IGtleSE=", *old]

    done = vault.rotate()

    settings.SETUP_WIZARD_CREDENTIAL_KEYS = settings.SETUP_WIZARD_CREDENTIAL_KEYS[:1]
    assert (done.resealed, done.unopened) == (1, 0)
    (used,) = vault.used(refused.pk, refused.address).credentials
    assert used.password == Secret(PASSWORD)


def test_message_of_a_bootstrap_that_is_not_ours_is_dropped(refused, node, maria):
    give(refused, SECOND, maria)
    Attempt.objects.filter(pk=refused.pk).update(not_ours=True)
    node.state = "error"

    tick(refused)

    assert refused.why is Reason.FOREIGN_FAILED
    assert b"look at the log" not in stored(refused)
