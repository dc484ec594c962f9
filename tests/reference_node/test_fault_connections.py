"""Connections that are cut, ignored or answered under another certificate."""

import hashlib
import socket
import ssl
from contextlib import closing
from http.client import HTTPSConnection

import pytest
import requests

from setup_wizard.reference_node.faults import parse_fault

from .conftest import Caller, wait_for

QUESTION = b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n"


def fingerprint(node: Caller) -> str:
    with node.connect() as connection:
        return hashlib.sha256(connection.getpeercert(binary_form=True)).hexdigest()


def test_every_third_connection_is_reset(serve, lines):
    node = Caller(serve(faults=("reset-connection=3",)).address)

    outcomes = []
    for _ in range(6):
        try:
            outcomes.append(node.get().status_code)
        except requests.ConnectionError:
            outcomes.append(None)

    assert outcomes == [200, 200, None] * 2
    noted = [(line.get("connection"), line.get("fault")) for line in lines() if "connection" in line]
    assert noted == [("reset", "reset-connection=3")] * 2


def test_a_connection_hangs_before_tls(serve, lines):
    server = serve(faults=("hang=tcp:once",))
    node = Caller(server.address)
    with socket.create_connection((node.host, node.port), 10) as plain:
        plain.settimeout(0.3)
        with pytest.raises(TimeoutError):
            ssl._create_unverified_context().wrap_socket(plain)
        assert node.get().status_code == 200  # the next one is served
    [hung, _] = lines()
    assert (hung["connection"], hung["fault"]) == ("left without TLS", "hang=tcp")
    wait_for(lambda: not server._connections())  # closed connections are forgotten


def test_a_connection_hangs_after_tls(serve, lines):
    server = serve(faults=("hang=tls:once",))
    node = Caller(server.address)
    with node.connect() as connection:
        connection.sendall(QUESTION)
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert node.get().status_code == 200
    [hung, asked] = lines()
    assert (hung["connection"], hung["fault"]) == ("left without an answer", "hang=tls")
    assert asked["status"] == 200


def test_a_new_certificate_at_a_moment_cuts_older_connections(serve, lines):
    server = serve(pace=60, faults=("new-certificate=initiated",))
    node = Caller(server.address)
    before = fingerprint(node)
    old = HTTPSConnection(node.host, node.port, timeout=10, context=ssl._create_unverified_context())
    with closing(old):
        old.request("GET", "/v1/bootstrap")
        assert old.getresponse().read()
        node.create()

        after = fingerprint(node)
        old.request("GET", "/v1/bootstrap")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            old.getresponse()

    assert before != after
    assert fingerprint(node) == after
    assert node.get().status_code == 200
    assert any(line.get("fault") == "new-certificate=initiated" and line["complete"] for line in lines())
    server.node.faults.put(())
    assert fingerprint(node) == before


def test_a_new_certificate_can_come_seconds_after_the_accepted_request(serve):
    node = Caller(serve(pace=60, faults=("new-certificate=accept+0.2",)).address)
    before = fingerprint(node)

    node.create()

    assert wait_for(lambda: fingerprint(node) != before)


def test_after_the_fault_a_member_shows_its_own_certificate_again(serve):
    server = serve(faults=("new-certificate=now",))
    node = Caller(server.address)
    shown = fingerprint(node)

    node.create()
    node.wait_until("completed")

    assert fingerprint(node) == shown
    server.node.faults.put([parse_fault("hang=tcp:once:after=1")])
    assert fingerprint(node) != shown


def test_a_node_stops_at_once_with_ignored_connections_open(start):
    node = start(faults=("hang=tcp:once", "hang=tls:once", "endless-headers"))
    caller = Caller(node.address)
    with (
        socket.create_connection((caller.host, caller.port), 10),
        caller.connect(),
        caller.connect() as endless,
    ):
        endless.sendall(QUESTION)
        endless.recv(65536)

        assert node.stop() == 0
    assert node.said == []
