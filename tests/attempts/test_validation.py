"""The node's validation of the request, before the bootstrap is sent."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import ReducerState, SealedCredentials, SentSignIn
from setup_wizard.attempts.observations import CredentialsMissing, Invalid, NotValidated, Valid
from setup_wizard.attempts.reducer import Exchange, decide, next_exchange
from setup_wizard.attempts.reducer.snapshot import Snapshot
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.attempts.conftest import PASSWORD, follow, kinds, tick
from tests.nodes.servers import IDLE, Identity, Server, answer
from tests.reference_node.running import start_node

NOW = datetime(2026, 11, 23, 14, 2, 4, tzinfo=UTC)
CHECK, POST = "/v1/bootstrap/validate/create_cluster", "/v1/bootstrap/create_cluster"
WRONG = {
    "state": "error",
    "error_code": "path_error",
    "error_details": {"message": "/mnt/persist is not writable", "path": "/mnt/persist"},
}


@pytest.fixture
def checking_node():
    """A node with a scripted answer to the check; it accepts and counts every bootstrap."""
    servers = []

    def serve(outcome):
        def script(peer):
            while request := peer.read_request():
                if request.path == CHECK:
                    outcome(peer)
                else:
                    peer.answer(200, IDLE if request.method == "GET" else None)

        servers.append(Server(script))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def start_on(start):
    """Start a create on a scripted node, and tick until it is validated or has ended."""

    def begin(server, **options):
        server.address = str(server.endpoint.address)
        attempt = start(server, **options)
        return follow(attempt, until=lambda attempt: attempt.was_validated or not attempt.status.is_moving)

    return begin


def paths(server):
    return [request.path for request in server.posts]


@pytest.mark.django_db
class TestValidation:
    @pytest.mark.parametrize("body", [WRONG, {"bootstrap_status": WRONG}])
    def test_request_that_fails_validation_is_not_sent(self, start_on, checking_node, body):
        node = checking_node(lambda peer: peer.answer(406, body))

        attempt = start_on(node)

        assert (attempt.status, attempt.why, attempt.error_code) == (State.FAILED, Reason.VALIDATION, "path_error")
        assert attempt.submits == 0
        assert paths(node) == [CHECK]

    def test_failed_validation_is_explained_with_its_field(self, start_on, checking_node):
        attempt = start_on(checking_node(lambda peer: peer.answer(406, WRONG)))

        told = explain(attempt)

        assert told.part == "node.paths.persistent_path"
        assert told.meaning.startswith(f"{attempt.address} checked the request and changed nothing. ")
        assert "/mnt/persist" in told.title

    def test_valid_request_is_checked_once_and_then_sent(self, start_on, checking_node):
        node = checking_node(lambda peer: peer.answer(200))

        attempt = start_on(node)
        tick(attempt)

        assert kinds(attempt) == ["started", "checking", "validated", "submitting", "accepted"]
        assert paths(node) == [CHECK, POST]
        assert json.loads(node.posts[0].body) == json.loads(node.posts[1].body)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 500, 503, 301])
    def test_request_is_sent_when_the_node_cannot_validate(self, start_on, checking_node, status):
        node = checking_node(lambda peer: peer.answer(status, {"detail": "no"}, Location="https://192.0.2.1/"))

        attempt = start_on(node)
        tick(attempt)

        note = attempt.events.get(kind="not_validated")
        assert str(status) in note.message
        assert paths(node) == [CHECK, POST]

    @pytest.mark.parametrize("body", [b"", b"not now", b"[]", b'{"state": "idle"}', b'{"bootstrap_status": []}'])
    def test_406_without_an_error_code_does_not_fail_the_attempt(self, start_on, checking_node, body):
        node = checking_node(lambda peer: peer.send(answer(406, body=body)))

        attempt = start_on(node)

        assert (attempt.status, kinds(attempt)[-1]) == (State.CHECKING, "not_validated")

    def test_request_is_sent_after_the_node_drops_the_validation(self, start_on, checking_node):
        node = checking_node(lambda peer: peer.reset())

        attempt = start_on(node)
        tick(attempt)

        assert paths(node) == [CHECK, POST]

    def test_silent_validation_takes_five_seconds_at_most(self, start_on, checking_node):
        node = checking_node(lambda peer: peer.server.done.wait(10))

        attempt = start_on(node)
        node.done.set()

        assert attempt.events.get(kind="not_validated").data == {"why": "no answer in time"}
        assert attempt.status is State.CHECKING


@pytest.mark.django_db
class TestSecretInValidation:
    def test_validation_sends_nothing_to_an_unapproved_certificate(self, start, checking_node):
        node = checking_node(lambda peer: peer.answer(200))
        node.address = str(node.endpoint.address)
        attempt = start(node)
        tick(attempt)
        node.identity = Identity()

        tick(attempt)

        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.TRUST)
        assert node.posts == []
        assert PASSWORD.encode() not in node.received

    def test_validation_sends_nothing_to_another_service(self, start, checking_node):
        node = checking_node(lambda peer: peer.answer(200))
        node.address = str(node.endpoint.address)
        attempt = start(node)
        tick(attempt)

        def page(peer):
            while peer.read_request():
                peer.send(answer(200, body=b"<html>sign in</html>"))

        node.script = page
        tick(attempt)

        assert (attempt.status, attempt.why) == (State.FAILED, Reason.NOT_A_NODE)
        assert node.posts == []

    def test_validation_result_is_stored_without_the_secret(self, start_on, checking_node):
        spellings = [PASSWORD, quote(PASSWORD), base64.b64encode(f"admin@example.com:{PASSWORD}".encode()).decode()]
        echo = WRONG | {"error_details": {"message": " ".join(spellings), "request": spellings}}

        attempt = start_on(checking_node(lambda peer: peer.answer(406, echo)))

        kept = json.dumps([attempt.error_details, [event.data for event in attempt.events.all()]], ensure_ascii=False)
        assert attempt.error_code == "path_error"
        assert not any(spelling in kept for spelling in spellings)

    def test_validation_is_not_sent_without_the_secret(self, start, checking_node):
        node = checking_node(lambda peer: peer.answer(200))
        node.address = str(node.endpoint.address)
        attempt = start(node)
        tick(attempt)
        SealedCredentials.objects.all().delete()

        assert tick(attempt) == CredentialsMissing()
        assert node.posts == []


class TestDecision:
    @pytest.mark.parametrize("past", [{"submits": 1}, {"was_validated": True}, {"state": State.QUEUED}])
    def test_validation_happens_once_and_never_after_a_post(self, past):
        assert next_exchange(self.SNAPSHOT) is Exchange.VALIDATE
        assert next_exchange(replace(self.SNAPSHOT, **past)) is not Exchange.VALIDATE

    SNAPSHOT = Snapshot(state=State.CHECKING, action=Action.JOIN, fingerprint="AB", deadline_at=None)

    def test_valid_request_continues_at_once(self):
        outcome = decide(self.SNAPSHOT, Valid(), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.was_validated, outcome.wait) == (State.CHECKING, True, 0.0)

    def test_invalid_request_fails_with_the_nodes_code(self):
        status = BootstrapStatus(
            NodeState.ERROR, "error", error_code="rack_id_required", error_details={"current_rack_ids": []}
        )

        outcome = decide(self.SNAPSHOT, Invalid(status), NOW)

        assert (outcome.snapshot.state, outcome.snapshot.reason) == (State.FAILED, Reason.VALIDATION)
        assert outcome.snapshot.error_code == "rack_id_required"
        assert outcome.snapshot.error_details == {"current_rack_ids": []}
        assert outcome.snapshot.ended_at == NOW

    def test_validation_ends_a_silence(self):
        silent = Snapshot(state=State.CHECKING, action=Action.JOIN, fingerprint="AB", silent_since=NOW)

        outcome = decide(silent, NotValidated("it answered 404"), NOW)

        assert outcome.snapshot.silent_since is None
        assert [note.kind for note in outcome.events] == ["answers_again", "not_validated"]


@pytest.mark.django_db
class TestRealNodes:
    def test_node_with_validation_is_set_up(self, start, fresh_node):
        attempt = follow(start(fresh_node))

        assert attempt.status is State.SUCCEEDED
        assert "validated" in kinds(attempt)
        assert len(fresh_node.accepted()) == 1

    def test_node_without_validation_is_set_up(self, start, tmp_path):
        with start_node(tmp_path / "node", options=["--no-validate"]) as node:
            attempt = follow(start(node))

        assert attempt.status is State.SUCCEEDED
        assert attempt.events.get(kind="not_validated").data["why"].startswith("it answered 404: “")

    def test_validation_finds_the_wrong_password_of_a_join(self, start, fresh_node, tmp_path):
        follow(start(fresh_node))
        with start_node(tmp_path / "second") as second:
            attempt = start(second, member=fresh_node, password="CANARY-mistyped")
            ReducerState.objects.filter(pk=attempt.pk).update(member_asked=True)
            attempt = follow(attempt)

            assert (attempt.why, attempt.error_code) == (Reason.VALIDATION, "access_denied")
            assert explain(attempt).part == "credentials.password"
            assert second.accepted() == []
            assert probe(Address.parse(second.address)).answer.status.state is NodeState.IDLE
        assert [row.outcome for row in SentSignIn.objects.exclude(outcome="accepted")] == ["refused"]
