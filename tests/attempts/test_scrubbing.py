"""S9 where it is tricky: passwords that are words of the API, and echoes in places where nobody looks for them."""

import json
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from setup_wizard.attempts.models import LONGEST_UID, Attempt
from setup_wizard.attempts.scrub import scrub_certificate, scrub_text
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from tests.attempts.conftest import PASSWORD, follow
from tests.nodes.servers import IDLE, Server, answer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("password", ["redis", "active", "idle", "completed"])
def test_a_password_that_is_part_of_what_the_cluster_says_does_not_stand_in_the_way(start, fresh_node, password):
    attempt = follow(start(fresh_node, password=password))

    assert (attempt.status, attempt.why) == (State.SUCCEEDED, Reason.NONE)
    assert attempt.cluster_name == "redis-prod.example.com"


def test_a_redirect_that_repeats_the_password_is_kept_without_it(start):
    def script(peer):
        while request := peer.read_request():
            if "/validate/" in request.path:
                peer.answer(404)
            elif request.method == "POST":
                told = quote(json.loads(request.body)["credentials"]["password"])
                peer.send(answer(307, Location=f"https://elsewhere.example.com/?said={told}"))
            else:
                peer.answer(200, IDLE)

    server = Server(script)
    try:
        attempt = follow(start(SimpleNamespace(address=str(server.address))))
    finally:
        server.stop()

    assert attempt.why is Reason.REDIRECTED
    assert "elsewhere.example.com" in attempt.answer
    kept = json.dumps([attempt.answer, *attempt.events.values_list("data", flat=True)])
    assert quote(PASSWORD) not in kept
    assert PASSWORD not in kept


def test_a_certificate_that_repeats_the_password_is_shown_without_it():
    credentials = Credentials(username="admin@example.com", password=Secret("AA:01"))
    claims = {"fingerprint": "AA:01", "subject": "CN=AA:01", "names": ["AA:01.example.com"], "self_signed": True}

    shown = scrub_certificate(claims, credentials)

    assert shown["fingerprint"] == "AA:01"
    assert "AA:01" not in str({name: said for name, said in shown.items() if name != "fingerprint"})
    assert shown["self_signed"] is True


def test_asterisks_fit_where_the_number_of_a_node_is_kept():
    said = scrub_text("abcd" * 10, Credentials(username="admin@example.com", password=Secret("abcd")), LONGEST_UID)

    assert len(said) <= Attempt._meta.get_field("node_uid").max_length
