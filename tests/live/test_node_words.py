"""The answers of a node are on the attempt page and in its events: the status code and the node's message."""

import json
import re
from html import unescape

import pytest
from django.urls import reverse

from setup_wizard.attempts import engine, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import ReducerState
from setup_wizard.attempts.states import Reason, State
from tests.attempts.conftest import PASSWORD, follow, tick, to_the_post
from tests.nodes.servers import IDLE, Server, answer

pytestmark = pytest.mark.django_db

WORDS = "ccs is not ready: upgrade in progress"
BODIES = {
    "description": json.dumps({"error_code": "not_ready", "description": WORDS}).encode(),
    "message": json.dumps({"error_code": "not_ready", "message": WORDS}).encode(),
    "detail": json.dumps({"detail": WORDS}).encode(),
    "code alone": json.dumps({"error_code": WORDS}).encode(),
    "text": WORDS.encode(),
    "page": f"<html><head><title> {WORDS}\n</title></head><body><h1>Sorry</h1></body></html>".encode(),
}


@pytest.fixture
def node():
    """An idle node of which a test replaces single answers: by "GET", "POST" or "CHECK"."""
    answers = {}

    def script(peer):
        while request := peer.read_request():
            kind = "CHECK" if "/validate/" in request.path else request.method
            plain = answer(200, IDLE if kind == "GET" else None) if kind != "CHECK" else answer(404)
            peer.send(answers.get(kind, plain))

    server = Server(script)
    server.address, server.answers = str(server.endpoint.address), answers
    yield server
    server.stop()


@pytest.fixture
def shown(client, maria):
    client.force_login(maria)

    def read(attempt):
        text = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()
        return re.sub(r"\s+", " ", unescape(text))

    return read


def events(attempt):
    return "\n".join(event.message for event in attempt.events.all())


def posted(start, node, status, body, **headers):
    """Start on the node, which answers the POST so, and go on until that has been seen."""
    node.answers["POST"] = answer(status, body=body, **headers)
    attempt = to_the_post(start(node))
    tick(attempt)
    return attempt


def given_up(attempt):
    """Let the quiet time pass, and all that is sent again by itself."""
    ReducerState.objects.filter(pk=attempt.pk).update(resubmits=1, settled_for=20)
    return follow(attempt)


class TestTheRequest:
    def test_a_409_of_an_idle_node_is_shown_with_its_message(self, start, node, shown):
        attempt = posted(start, node, 409, BODIES["description"])
        assert f"The node answered 409: “{WORDS}”" in events(attempt)
        assert f"answered 409: “{WORDS}”" in shown(attempt)

        given_up(attempt)

        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.NOT_ACCEPTED)
        assert f"It answered 409: “{WORDS}”" in shown(attempt)
        assert "no usable answer" not in shown(attempt)

    @pytest.mark.parametrize("form", BODIES)
    def test_a_500_is_shown_with_its_message_in_every_format(self, start, node, shown, form):
        attempt = posted(start, node, 500, BODIES[form])
        assert f"The node answered 500: “{WORDS}”" in events(attempt)
        assert "no usable answer" not in events(attempt)
        assert f"answered 500: “{WORDS}”" in shown(attempt)

        given_up(attempt)

        assert f"It answered 500: “{WORDS}”" in shown(attempt)

    @pytest.mark.parametrize("body", [b"", b"[1]", b"<html><h1>Sorry</h1></html>"])
    def test_an_answer_without_a_message_is_shown_by_its_status(self, start, node, shown, body):
        attempt = posted(start, node, 502, body)

        assert "The node answered 502:" not in events(attempt)
        assert "The node answered 502" in events(attempt)
        assert "“”" not in shown(attempt)

    def test_an_unknown_action_is_shown_with_the_nodes_message(self, start, node, shown):
        attempt = follow(posted(start, node, 404, BODIES["detail"]))

        assert attempt.why is Reason.UNSUPPORTED_ACTION
        assert f"answered 404: “{WORDS}”" in shown(attempt)

    def test_a_rejection_is_shown_with_its_status(self, start, node, shown):
        attempt = follow(posted(start, node, 422, BODIES["message"]))

        assert attempt.why is Reason.REJECTED
        assert f"answered 422: “{WORDS}”" in shown(attempt)

    def test_an_unexpected_status_is_shown_too(self, start, node, shown):
        attempt = posted(start, node, 418, b"I am a teapot")

        assert "The node answered 418: “I am a teapot”" in events(attempt)

    def test_the_answer_to_the_next_request_replaces_it(self, start, node, maria):
        attempt = given_up(posted(start, node, 500, BODIES["text"]))
        node.answers["POST"] = answer(200)

        engine.choose(attempt.pk, Choice.SEND_AGAIN, by=maria)
        follow(attempt, until=lambda attempt: attempt.status is State.IN_PROGRESS)

        assert (attempt.answer_status, attempt.answer) == (0, "")


class TestPolls:
    def test_a_503_of_a_watched_node_is_shown_with_its_message(self, start, node, shown):
        attempt = posted(start, node, 200, b"")
        node.answers["GET"] = answer(503, body=BODIES["description"])

        tick(attempt)

        assert f"The node answered 503: “{WORDS}”" in events(attempt)
        text = shown(attempt)
        assert "The node answers 503 " in text
        assert f"Node message: “{WORDS}”" in text
        assert "The node is restarting" not in text

    def test_a_lost_node_is_shown_with_its_last_answer(self, start, node, shown):
        attempt = posted(start, node, 200, b"")
        node.answers["GET"] = answer(503, body=BODIES["text"])
        tick(attempt)
        ReducerState.objects.filter(pk=attempt.pk).update(time_left=0)

        follow(attempt)

        assert attempt.why is Reason.LOST_CONTACT
        assert f"it answers 503: “{WORDS}”" in shown(attempt)

    def test_a_message_after_a_silence_is_an_event(self, start, node, shown):
        attempt = posted(start, node, 200, b"")
        node.answers["GET"] = b""
        tick(attempt)
        assert attempt.silent_phase == "answer"
        node.answers["GET"] = answer(503, body=BODIES["detail"])

        tick(attempt)

        assert f"The node answered 503: “{WORDS}”" in events(attempt)

    def test_a_message_that_changes_at_every_poll_is_one_event(self, start, node):
        attempt = posted(start, node, 200, b"")
        for number in range(4):
            node.answers["GET"] = answer(503, body=f"try {number}".encode())
            tick(attempt)

        assert events(attempt).count("The node answered 503") == 1
        assert attempt.silent_error_text == "try 3"

    def test_a_node_that_is_not_ready_is_shown_with_its_message(self, start, node, shown):
        attempt = start(node)
        tick(attempt)
        node.answers["GET"] = answer(503, body=BODIES["message"])

        tick(attempt)

        assert f"The node answered 503: “{WORDS}”" in events(attempt)
        assert f"Node message: “{WORDS}”" in shown(attempt)

    def test_the_message_disappears_when_the_node_answers_again(self, start, node):
        attempt = posted(start, node, 200, b"")
        node.answers["GET"] = answer(503, body=BODIES["text"])
        tick(attempt)
        del node.answers["GET"]

        tick(attempt)

        assert (attempt.silent_phase, attempt.silent_error_text) == ("", "")


class TestTheCheck:
    def test_a_validation_without_an_outcome_shows_the_nodes_answer(self, start, node):
        node.answers["CHECK"] = answer(400, body=BODIES["description"])

        attempt = to_the_post(start(node))

        assert f"it answered 400: “{WORDS}”" in events(attempt)


class TestSecrets:
    @pytest.mark.parametrize("status", [409, 422, 500])
    def test_a_password_in_a_message_is_masked(self, start, node, shown, status):
        attempt = posted(start, node, status, f"cannot use {PASSWORD}, sorry".encode())

        told = events(attempt) + shown(attempt) + json.dumps([event.data for event in attempt.events.all()])
        assert "cannot use ********, sorry" in told
        assert PASSWORD not in told

    def test_a_password_with_a_tab_is_masked_before_cleaning(self, start, node, shown):
        node.answers["POST"] = answer(500, body=b"cannot use sixteen\tquiet otters, sorry")
        attempt = to_the_post(start(node, password="sixteen\tquiet otters"))
        tick(attempt)

        assert "cannot use ********, sorry" in events(attempt)

    def test_without_the_credentials_to_mask_only_the_code_is_kept(self, start, node, maria):
        attempt = posted(start, node, 200, b"")
        vault.discard(attempt.pk)
        node.answers["GET"] = answer(503, {"error_code": "not_ready", "description": PASSWORD})

        tick(attempt)

        assert "The node answered 503: “not_ready”" in events(attempt)
        assert PASSWORD not in events(attempt)
