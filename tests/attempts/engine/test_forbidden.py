"""What must never happen, whatever the node or the settings say."""

import base64
import json
from urllib.parse import quote

import pytest

from setup_wizard.access.append_only import AppendOnlyError
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.observations import CredentialsMissing, Forbidden, Silent
from setup_wizard.attempts.states import Reason, State
from tests.attempts.conftest import PASSWORD, follow, tick

pytestmark = pytest.mark.django_db


class TestForbidden:
    def test_events_cannot_be_changed_or_deleted(self, start, fresh_node):
        event = start(fresh_node).events.get()

        for forbidden in (event.save, event.delete, Event.objects.all().delete, lambda: Event.objects.update(kind="x")):
            with pytest.raises(AppendOnlyError):
                forbidden()

    def test_secret_that_cannot_be_decrypted_sends_nothing(self, start, fresh_node, settings):
        attempt = start(fresh_node)
        tick(attempt)
        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [base64.b64encode(b"n" * 32).decode()]

        assert tick(attempt) == CredentialsMissing()
        assert (attempt.status, attempt.why) == (State.FAILED, Reason.SECRET_UNAVAILABLE)
        assert fresh_node.accepted() == []

    def test_forbidden_address_gets_no_packet(self, start, fresh_node, settings):
        attempt = start(fresh_node)
        tick(attempt)
        asked = len(fresh_node.journal_lines())
        settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

        assert isinstance(tick(attempt), Forbidden)
        assert attempt.why is Reason.FORBIDDEN_ADDRESS
        assert len(fresh_node.journal_lines()) == asked

    def test_address_forbidden_after_the_post_is_explained(self, start, fresh_node, settings):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.may_have_sent)
        settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

        tick(attempt)

        assert attempt.why is Reason.LOST_CONTACT
        assert explain(attempt).title == "The node's address is not allowed any more"

    def test_changed_name_resolution_gets_no_packet(self, start, fresh_node):
        attempt = start(fresh_node)
        tick(attempt)
        asked = len(fresh_node.journal_lines())
        Attempt.objects.update(address=f"127.0.0.9:{fresh_node.port}")  # where the name led at Start

        assert isinstance(tick(attempt), Forbidden)
        assert attempt.why is Reason.FORBIDDEN_ADDRESS
        assert len(fresh_node.journal_lines()) == asked

    def test_node_that_is_down_is_polled(self, start, fresh_node):
        attempt = start(fresh_node)
        tick(attempt)
        fresh_node.stop()

        assert tick(attempt) == Silent("connect", "connection refused")
        assert attempt.status is State.CHECKING

        fresh_node.restart()
        assert follow(attempt).status is State.SUCCEEDED

    def test_other_certificate_before_the_post_gets_no_http(self, start, fresh_node):
        attempt = start(fresh_node)
        tick(attempt)
        Attempt.objects.update(fingerprint=":".join(["AB"] * 32))
        asked = len(fresh_node.requests())

        tick(attempt)

        assert attempt.why is Reason.TRUST
        assert len(fresh_node.requests()) == asked

    def test_echo_of_the_password_is_never_stored(self, start, serve_echo):
        attempt = follow(start(serve_echo), ticks=60)

        kept = json.dumps(
            [
                *Attempt.objects.values("error_details", "error_code", "node_state"),
                *Event.objects.values("message", "data"),
            ]
        )
        assert attempt.why is Reason.NODE_ERROR
        assert "********" in kept
        for spelling in (
            PASSWORD,
            json.dumps(PASSWORD)[1:-1],
            quote(PASSWORD),
            base64.b64encode(PASSWORD.encode()).decode(),
        ):
            assert spelling not in kept
