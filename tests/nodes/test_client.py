import json
import time
from base64 import b64decode

import pytest

from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import NodeState
from setup_wizard.nodes.client import NodeSignIn, connect
from setup_wizard.nodes.errors import (
    NodeRefused,
    NodeUnreachable,
    NodeUntrusted,
    TooLateToSend,
)
from tests.nodes.conftest import PASSWORD
from tests.nodes.servers import IDLE, Identity, always, answer, idle_node, wait_until


def ask(server, sign_in=None, *, seconds=5):
    with connect(server.endpoint, server.pins, seconds=seconds) as node:
        return node.bootstrap_answer(sign_in)


def test_status_of_a_fresh_node_is_idle(serve):
    node = serve(idle_node)

    status = ask(node)

    assert status.status.state is NodeState.IDLE
    assert status.node.software_version == "7.22.0-216"


def test_get_sends_only_the_necessary_headers(serve):
    node = serve(idle_node)

    ask(node)

    [request] = node.requests
    assert (request.method, request.path) == ("GET", "/v1/bootstrap")
    assert request.headers == {
        "host": f"127.0.0.1:{node.port}",
        "user-agent": "setup-wizard",
        "accept": "application/json",
        "accept-encoding": "identity",
    }


def test_sign_in_is_sent_as_utf_8(serve, maria_signs_in):
    node = serve(idle_node)

    ask(node, maria_signs_in)

    scheme, _, value = node.requests[0].headers["authorization"].partition(" ")
    assert (scheme, b64decode(value).decode()) == ("Basic", f"maria@example.com:{PASSWORD}")


@pytest.mark.parametrize(("username", "password"), [("maria@example.com", "\ud800"), ("\ud800", "pass")])
def test_sign_in_with_a_lone_surrogate_is_just_wrong(serve, username, password):
    node = serve(always(answer(401)))

    with pytest.raises(NodeRefused):
        ask(node, NodeSignIn(username, Secret(password)))


def test_get_and_post_share_one_connection(serve, create_request):
    node = serve(idle_node)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        assert connection.is_open
        connection.bootstrap(create_request)

    assert node.connections == 1
    assert [(request.method, request.path) for request in node.requests] == [
        ("GET", "/v1/bootstrap"),
        ("POST", "/v1/bootstrap/create_cluster"),
    ]


def test_the_post_carries_the_payload(serve, create_request):
    node = serve(idle_node)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert json.loads(node.posts[0].body) == create_request.payload()
    assert node.posts[0].headers["content-type"] == "application/json"
    assert "authorization" not in node.posts[0].headers


@pytest.mark.parametrize("pins", [[], set(), ()])
def test_connect_requires_a_pin(serve, pins):
    node = serve(idle_node)

    with pytest.raises(ValueError, match="needs an approved fingerprint"), connect(node.endpoint, pins):
        pass

    assert node.connections == 0


@pytest.mark.parametrize("pins", ["AB:CD", ["AB:CD"], [""], "AB" * 32])
def test_connect_rejects_invalid_pins(serve, pins):
    node = serve(idle_node)

    with pytest.raises(ValueError, match="64 hex digits"), connect(node.endpoint, pins):
        pass

    assert node.connections == 0


def test_connect_accepts_any_of_several_pins(serve):
    node = serve(idle_node)
    pin = node.identity.certificate.fingerprint.replace(":", "").lower()

    with connect(node.endpoint, [Identity().certificate.fingerprint, pin]) as connection:
        assert connection.certificate == node.identity.certificate


def test_no_http_is_sent_to_an_unpinned_certificate(serve):
    impostor = serve(idle_node)
    pins = {Identity().certificate.fingerprint}

    with pytest.raises(NodeUntrusted) as refusal, connect(impostor.endpoint, pins) as connection:
        connection.bootstrap_answer()

    assert refusal.value.seen == impostor.identity.certificate
    impostor.stop()
    assert (impostor.connections, impostor.received) == (1, b"")


def test_reopen_connects_again_after_a_close(serve, create_request):
    def one_answer(peer):
        if request := peer.read_request():
            peer.answer(200, IDLE if request.method == "GET" else None, Connection="close")

    node = serve(one_answer)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        assert not connection.is_open
        connection.reopen()
        assert connection.is_open
        connection.bootstrap(create_request)

    assert (node.connections, len(node.posts)) == (2, 1)


def test_reopen_checks_the_certificate_again(serve):
    first, second = Identity(), Identity()
    node = serve(always(answer(200, IDLE, Connection="close")), upcoming=[first, second])

    with connect(node.endpoint, [first.certificate.fingerprint]) as connection:
        connection.bootstrap_answer()
        with pytest.raises(NodeUntrusted) as refusal:
            connection.reopen()

    assert refusal.value.seen == second.certificate
    assert len(node.requests) == 1


def test_closed_connection_is_noticed_before_the_post(serve, create_request):
    def hang_up(peer):
        peer.read_request()
        peer.answer(200, IDLE)

    node = serve(hang_up)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        wait_until(lambda: not connection.is_open)
        with pytest.raises(NodeUnreachable) as failure:
            connection.bootstrap(create_request)

    assert failure.value.is_unsent
    assert (node.connections, node.posts) == (1, [])


def test_unexpected_answer_before_a_request_is_not_used(serve, create_request):
    node = serve(always(answer(200, IDLE) + answer(200)))

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        assert not connection.is_open
        with pytest.raises(NodeUnreachable) as failure:
            connection.bootstrap(create_request)

    assert failure.value.is_unsent
    assert node.posts == []


@pytest.mark.parametrize("end", ["reset", "close_tls"])
def test_post_is_sent_once_when_its_answer_is_lost(serve, create_request, end):
    def lose_the_answer(peer):
        while request := peer.read_request():
            if request.method == "POST":
                getattr(peer, end)()
                return
            peer.answer(200, IDLE)

    node = serve(lose_the_answer)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        with pytest.raises(NodeUnreachable) as failure:
            connection.bootstrap(create_request)

    assert (failure.value.phase, failure.value.is_unsent) == ("answer", False)
    assert (node.connections, len(node.posts)) == (1, 1)


def test_unanswered_post_ends_at_its_own_deadline(serve, create_request):
    def be_silent(peer):
        while request := peer.read_request():
            if request.method == "GET":
                peer.answer(200, IDLE)
            else:
                node.done.wait(10)

    node = serve(be_silent)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        started = time.monotonic()
        with pytest.raises(NodeUnreachable) as failure:
            connection.bootstrap(create_request, seconds=0.3)

    assert failure.value.phase == "answer"
    assert 0.2 < time.monotonic() - started < 4
    assert len(node.posts) == 1


def test_slow_get_does_not_shorten_the_post(serve, create_request):
    node = serve(idle_node)

    with connect(node.endpoint, node.pins, seconds=1) as connection:
        connection.bootstrap_answer()
        time.sleep(1.05)  # the intent is being committed; the first deadline must pass
        connection.bootstrap(create_request)

    assert len(node.posts) == 1


def test_connection_sends_only_one_post(serve, create_request):
    node = serve(idle_node)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)
        with pytest.raises(RuntimeError):
            connection.bootstrap(create_request)
        with pytest.raises(RuntimeError):
            connection.reopen()

    assert (node.connections, len(node.posts)) == (1, 1)


def test_post_is_not_sent_after_send_before(serve, create_request):
    node = serve(idle_node)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()
        with pytest.raises(TooLateToSend):
            connection.bootstrap(create_request, send_before=time.monotonic() - 0.001)

    node.stop()
    assert node.posts == []
    assert node.received.count(b"HTTP/1.1") == 1


def test_post_is_sent_before_send_before(serve, create_request):
    node = serve(idle_node)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request, send_before=time.monotonic() + 5)

    assert len(node.posts) == 1
