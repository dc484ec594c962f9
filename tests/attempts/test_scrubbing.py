"""Answers of a node are stored without secrets, and explanations still work."""

import json
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Paths
from setup_wizard.bootstrap.secret import MASK, Secret
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.probing import probe_node
from setup_wizard.nodes.redaction import Redaction
from tests.attempts.conftest import PASSWORD, follow
from tests.nodes.servers import IDLE, Server, answer
from tests.spellings import leaks, spell

pytestmark = pytest.mark.django_db

STARTED = "2026-11-23T14:02:04Z"


def failed(details, code="config_error", **more):
    status = {"state": "error", "start_time": STARTED, "error_code": code, "error_details": details}
    return {"bootstrap_status": status | more, "local_node_info": {}}


@pytest.fixture
def node():
    """Serve a node whose validation fails with a document made from the request."""
    servers = []

    def serve(end, facts=None):
        def script(peer):
            said = IDLE | {"local_node_info": facts} if facts else IDLE
            while request := peer.read_request():
                if "/validate/" in request.path:
                    peer.send(answer(406, end(json.loads(request.body))))
                else:
                    peer.send(answer(200, said))

        servers.append(Server(script))
        return SimpleNamespace(address=str(servers[-1].address))

    yield serve
    for server in servers:
        server.stop()


def stored(attempt):
    """The rows of the attempt and its events, as JSON and as text."""
    rows = [
        *Attempt.objects.filter(pk=attempt.pk).values(),
        *Event.objects.filter(attempt=attempt).values("message", "data"),
    ]
    return json.dumps(rows, default=str, ensure_ascii=False).encode() + str(rows).encode()


@pytest.mark.parametrize("password", ["redis", "active", "idle", "completed"])
def test_password_equal_to_a_status_word_breaks_nothing(start, fresh_node, password):
    attempt = follow(start(fresh_node, password=password))

    assert (attempt.status, attempt.why) == (State.SUCCEEDED, Reason.NONE)
    assert attempt.cluster_name == "redis-prod.example.com"


@pytest.mark.parametrize(
    "password",
    ["tab\tin the middle", "  ends with blanks  ", "<b>&'quote'</b>", "a/b+c%2f\\", 'ünï"cødé-𝄞'],
)
def test_echo_is_masked_in_any_encoding(start, node, password):
    def echo(request):
        sent = request["credentials"]["password"]
        assert sent == password
        # long texts are cut when they are stored, so each encoding comes early enough
        return failed({f"said {place}": text for place, (_, text) in enumerate(spell(sent)[:50])} | {sent: [sent]})

    attempt = follow(start(node(echo), password=password))

    assert attempt.why is Reason.VALIDATION
    assert MASK in json.dumps(attempt.error_details)
    assert leaks(stored(attempt), password.strip()) == []


def test_echo_is_masked_before_it_is_cut(start, node):
    """A cut password could no longer be recognised."""
    lengths = iter(range(30))

    def echo(request):
        said = {str(n): "." * (1000 - next(lengths)) + request["credentials"]["password"] for n in range(3)}
        return failed({"message": "refused", **said})

    attempt = follow(start(node(echo), password="correct-horse-battery"))

    assert "corr" not in stored(attempt).decode()


def test_echo_is_masked_in_keys_and_codes(start, node):
    def echo(request):
        sent = request["credentials"]["password"]
        return failed({sent: {"x": sent}}, code=sent, end_time=sent)

    attempt = follow(start(node(echo)))

    assert attempt.why is Reason.VALIDATION
    assert leaks(stored(attempt), PASSWORD) == []


def test_echo_is_masked_in_the_target_of_a_redirect(start):
    def script(peer):
        while request := peer.read_request():
            if "/validate/" in request.path:
                peer.answer(404)
            elif request.method == "POST":
                echo = quote(json.loads(request.body)["credentials"]["password"])
                peer.send(answer(307, Location=f"https://elsewhere.example.com/?said={echo}"))
            else:
                peer.answer(200, IDLE)

    server = Server(script)
    try:
        attempt = follow(start(SimpleNamespace(address=str(server.address))))
    finally:
        server.stop()

    assert attempt.why is Reason.REDIRECTED
    assert "elsewhere.example.com" in attempt.answer
    assert leaks(stored(attempt), PASSWORD) == []


def test_echo_is_masked_in_a_certificate():
    certificate = Certificate("AA:01", "CN=AA:01", "CN=AA:01", names=("AA:01.example.com",), self_signed=True)

    shown = certificate.masked(Redaction((Secret("AA:01"),))).as_json()

    assert shown["fingerprint"] == "AA:01"
    assert "AA:01" not in str({name: said for name, said in shown.items() if name != "fingerprint"})
    assert shown["self_signed"] is True


def test_probe_by_another_user_shows_no_password_that_the_node_was_sent(start, node, django_user_model):
    quoting = {"software_version": PASSWORD, "short_hostname": f"x-{PASSWORD}", "persistent_storage_path": "/var/opt/x"}
    served = node(lambda _: failed({}), facts=quoting)
    follow(start(served))

    seen = probe_node(served.address, by=django_user_model.objects.create_user("olaf")).as_json()

    assert leaks(json.dumps(seen).encode(), PASSWORD) == []
    assert seen["answer"]["node"]["software_version"] == MASK
    assert seen["answer"]["node"]["persistent_storage_path"] == "/var/opt/x"


def test_masked_status_fits_its_columns(start, node):
    attempt = follow(
        start(node(lambda _: failed({"message": "e" * 60}, code="e" * 60, end_time="e" * 60)), password="e")
    )

    assert attempt.why is Reason.VALIDATION
    assert "e" not in attempt.error_code


PERSISTENT = "/var/opt/redislabs/data"


@pytest.mark.parametrize(
    "password", ["redislabs", "blue-otters-9", "persistent_path", "permission", "data", "/var/opt"]
)
@pytest.mark.parametrize(
    ("code", "details"),
    [
        ("path_error", {"message": f"persistent_path {PERSISTENT}: permission denied", "path": PERSISTENT}),
        ("path_error", {"message": f"cannot use {PERSISTENT}/redis: no such directory"}),
        ("config_error", {"message": f"rack_id is not valid, see {PERSISTENT}", "field": "node.identity.rack_id"}),
        ("config_error", {"message": "the external_addr is not valid for redislabs"}),
    ],
)
def test_explanation_does_not_depend_on_the_password(start, node, code, details, password):
    def explained(with_password):
        attempt = follow(
            start(
                node(lambda _: failed(details, code)), password=with_password, paths=Paths(persistent_path=PERSISTENT)
            )
        )
        return explain(attempt)

    plain, masked = explained("something-else-entirely-77"), explained(password)

    assert (masked.part, masked.title) == (plain.part, plain.title)
    assert masked.remedies == plain.remedies
    assert [check.partition(", ")[2] for check in masked.checks] == [check.partition(", ")[2] for check in plain.checks]
    assert f"/{MASK}" not in str(masked)
    assert f"{MASK}/" not in str(masked)


def test_echo_of_a_common_word_as_password_is_masked(start, node):
    def echo(request):
        sign_in = request["credentials"]
        return failed({"message": f"cannot sign in as {sign_in['username']}:{sign_in['password']}"}, "path_error")

    attempt = follow(start(node(echo), password="redislabs"))

    assert attempt.error_details == {"message": MASK}
