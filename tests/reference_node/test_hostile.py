"""Clients that mean no good, or are broken: the node refuses them, lets go of them, and goes on serving the others."""

import json
import socket
from contextlib import ExitStack, suppress

import pytest

from setup_wizard.reference_node import protocol

from .conftest import Caller, create_body, read_all

VALIDATE = "POST /v1/bootstrap/validate/create_cluster HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
GET = "GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n"
CLOSE = "Connection: close\r\n"
BODY = json.dumps(create_body())
LENGTH = f"Content-Length: {len(BODY)}\r\n"
CHUNKS = "".join(f"1;note=x\r\n{letter}\r\n" for letter in BODY) + "0\r\nTrailer: y\r\n\r\n"
MANY = 300


def say(node: Caller, *words: str) -> bytes:
    """What the node answers until it closes the connection."""
    with node.connect() as connection:
        for word in words:
            connection.sendall(word.encode())
        return read_all(connection)


@pytest.mark.parametrize(
    "words",
    [
        f"{VALIDATE}{LENGTH}{CLOSE}\r\n{BODY}",
        f"{VALIDATE}{LENGTH}{LENGTH}{CLOSE}\r\n{BODY}",
        f"{VALIDATE}Content-Length: {len(BODY)}, {len(BODY)}\r\n{CLOSE}\r\n{BODY}",
        f"{VALIDATE}Transfer-Encoding: chunked\r\n{CLOSE}\r\n{CHUNKS}",
        f"{VALIDATE}{LENGTH}\r\n{BODY}".replace("HTTP/1.1", "HTTP/1.0"),
        f"{VALIDATE}{LENGTH}{CLOSE}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n{BODY}",
        f"{VALIDATE.replace(' /', ' https://maria:secret@node:9443/')}{LENGTH}{CLOSE}\r\n{BODY}",
    ],
    ids=["plain", "length twice", "length in a list", "chunked", "HTTP 1.0", "upgrade", "absolute form"],
)
def test_a_request_in_an_unusual_form_is_a_request(idle_node, words):
    assert say(idle_node, words).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "words",
    [
        f"{VALIDATE}{LENGTH}Content-Length: 3\r\n\r\n{BODY}",
        f"{VALIDATE}Content-Length: -1\r\n\r\n",
        f"{VALIDATE}Content-Length: {'9' * 5000}\r\n\r\n",
        f"{VALIDATE}Transfer-Encoding: gzip, chunked\r\n\r\n",
        f"{VALIDATE}Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "GET /v1/bootstrap HTTP/1.1\r\n\r\n",
        f"{GET}Host: another\r\n\r\n",
        f"{GET}X: a\0b\r\n\r\n",
    ],
    ids=["two lengths", "below 0", "endless", "gzip", "chunk", "no host", "two hosts", "NUL"],
)
def test_bytes_that_are_not_http_are_refused_and_the_connection_closed(idle_node, words):
    assert say(idle_node, words).startswith(b"HTTP/1.1 400 ")
    assert idle_node.status() == {"state": "idle"}


@pytest.mark.parametrize("words", [f"{GET}X: {'x' * 70_000}", f"GET /{'x' * 70_000} HTTP/1.1"], ids=["header", "path"])
def test_a_head_that_is_too_long_is_cut_off(idle_node, words):
    said = b"HTTP/1.1 400 "
    with suppress(OSError):  # a client that still sends at the close may not read the answer
        said = say(idle_node, f"{words}\r\nHost: node\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 400 ")
    assert idle_node.status() == {"state": "idle"}


def test_pipelined_requests_are_answered_in_order(idle_node):
    said = say(idle_node, f"{GET}\r\n" * 20 + f"{VALIDATE}{LENGTH}{CLOSE}\r\n{BODY}{GET}\r\n")

    assert said.count(b"HTTP/1.1 200 ") == 21  # what follows the word that it is the last is none


def test_expect_continue_gets_100_or_413(idle_node):
    with idle_node.connect() as connection:
        connection.sendall(f"{VALIDATE}{LENGTH}{CLOSE}Expect: 100-continue\r\n\r\n".encode())
        told = connection.recv(65536)
        connection.sendall(BODY.encode())
        answer = read_all(connection)

    refused = say(idle_node, f"{VALIDATE}Content-Length: 1048577\r\nExpect: 100-continue\r\n\r\n")

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert refused.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "words",
    ["", "GET /v1/boot", GET, f"{VALIDATE}{LENGTH}\r\n{{", f"{GET}\r\n", f"{GET}\r\nGET /v1", f"{GET}\r\n{GET}"],
    ids=["nothing", "half a line", "half a head", "half a body", "no more", "half a second", "half a second head"],
)
def test_an_incomplete_request_is_closed_after_a_minute(node, monkeypatch, words):
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)

    said = say(node, words)  # ends only when the node closes the connection

    assert said.count(b"HTTP/1.1 ") == words.count(f"{GET}\r\n")


def test_an_endlessly_slow_head_is_closed_after_a_minute(node, monkeypatch):
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.3)
    with node.connect() as connection:
        connection.sendall(GET.encode())
        connection.settimeout(0.02)
        for _ in range(1000):
            with suppress(TimeoutError):
                if not connection.recv(1):
                    break
            with suppress(ConnectionError):
                connection.sendall(b"X: y\r\n")
        else:
            raise AssertionError("it was never let go")

    assert node.get().status_code == 200


def test_an_answer_may_take_longer_than_a_request(serve, monkeypatch):
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)
    node = Caller(serve(faults=("hold-post=0.6",)).address)

    assert node.create().status_code == 200


def test_many_idle_connections_delay_nobody(idle_node):
    with ExitStack() as held:
        for _ in range(MANY):
            silent = held.enter_context(socket.create_connection((idle_node.host, idle_node.port), 10))
            silent.sendall(b"\x16")  # the first byte of a handshake
        for words in ("GET /v1/boot", f"{VALIDATE}{LENGTH}\r\n{{") * 10:
            held.enter_context(idle_node.connect()).sendall(words.encode())

        assert idle_node.get().elapsed.total_seconds() < 5
