import socket
import ssl
import time
import warnings

import h11
import pytest

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.client import connect
from setup_wizard.nodes.errors import NodeUnreachable
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.probe import fetch_certificate
from setup_wizard.nodes.transport import Deadline, TLSConnection
from tests.nodes.servers import idle_node

BRIEFLY = 0.4
"""A deadline for what would never end."""


def ask(server):
    with connect(server.endpoint, server.pins) as connection:
        return connection.bootstrap_answer()


def test_connection_goes_to_the_address_that_was_checked(serve, monkeypatch):
    node, impostor = serve(idle_node), serve(idle_node)
    endpoint = Endpoint(Address("node-1.example.com", node.port), "127.0.0.1", node.port)

    def look_nothing_up(*_, **__):
        raise AssertionError("looked up again")

    monkeypatch.setattr(socket, "getaddrinfo", look_nothing_up)

    with connect(endpoint, node.pins) as connection:
        connection.bootstrap_answer()

    assert node.requests[0].headers["host"] == f"node-1.example.com:{node.port}"
    assert impostor.connections == 0


def test_handshake_sends_the_host_name_as_sni(serve):
    names = []
    node = serve(idle_node)
    node.identity.context.sni_callback = lambda _socket, name, _context: names.append(name)

    fetch_certificate(Endpoint(Address("node-1.example.com", node.port), "127.0.0.1", node.port))
    fetch_certificate(node.endpoint)

    assert names == ["node-1.example.com", None]


def test_connection_without_a_pin_cannot_send(serve):
    node = serve(idle_node)
    connection = TLSConnection(node.endpoint, None, Deadline.after(5))

    with pytest.raises(ValueError, match="without a pin"):
        connection.send(h11.Request(method="GET", target="/", headers=[("Host", "node-1")]), b"")

    connection.close()
    node.stop()
    assert node.received == b""


def test_closed_port_fails_in_phase_connect():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NodeUnreachable) as failure:
        fetch_certificate(Endpoint(Address("127.0.0.1", port), "127.0.0.1", port))

    assert (failure.value.phase, failure.value.detail) == ("connect", "connection refused")


def test_dropped_packets_time_out_in_phase_connect():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address, port = listener.getsockname()
        with socket.create_connection((address, port)):  # the backlog is full from here on
            started = time.monotonic()
            with pytest.raises(NodeUnreachable) as failure:
                fetch_certificate(Endpoint(Address(address, port), address, port), seconds=BRIEFLY)

    assert (failure.value.phase, failure.value.detail) == ("connect", "connection timed out")
    assert time.monotonic() - started < BRIEFLY + 4


def test_missing_handshake_times_out_in_phase_tls(serve):
    silent = serve(lambda peer: peer.server.done.wait(10), plain=True)
    started = time.monotonic()

    with pytest.raises(NodeUnreachable) as failure:
        fetch_certificate(silent.endpoint, seconds=BRIEFLY)

    assert (failure.value.phase, failure.value.detail) == ("tls", "TLS handshake timed out")
    assert time.monotonic() - started < BRIEFLY + 4


def test_service_without_tls_is_reported(serve):
    web = serve(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), plain=True)

    with pytest.raises(NodeUnreachable) as failure:
        fetch_certificate(web.endpoint)

    assert (failure.value.phase, failure.value.detail) == ("tls", "it does not use TLS")


def test_tls_before_1_2_is_refused(serve):
    node = serve(idle_node)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        node.identity.context.minimum_version = ssl.TLSVersion.TLSv1
        node.identity.context.maximum_version = ssl.TLSVersion.TLSv1_1
    node.identity.context.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(NodeUnreachable) as failure:
        fetch_certificate(node.endpoint)

    assert failure.value.phase == "tls"


def test_tls_1_2_is_accepted(serve):
    node = serve(idle_node)
    node.identity.context.maximum_version = ssl.TLSVersion.TLSv1_2

    assert ask(node).node.cores == 4


def test_ipv6_works(serve):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        node = serve(idle_node, host="::1")
    except OSError:
        pytest.skip("no IPv6 loopback here")

    ask(node)

    assert node.endpoint.key == f"[::1]:{node.port}"
    assert node.requests[0].headers["host"] == f"[::1]:{node.port}"
