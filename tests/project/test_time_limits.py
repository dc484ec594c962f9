"""The web server closes connections with an incomplete request or an unread response."""

import asyncio
import os
import socket
import threading
import time
from contextlib import closing, contextmanager

import pytest
import uvicorn

from setup_wizard.project import web
from setup_wizard.project.time_limits import TimedProtocol
from tests.project import forks
from tests.project.processes import wait_until
from tests.serving import CLONE

LIMIT = 0.5  # seconds; the product has 30
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


class QuickProtocol(TimedProtocol):
    seconds = LIMIT


async def application(scope, receive, send):
    """Read the body, then answer: a word, slow news, or more than the buffers hold."""
    message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in {"/news": [b"news"] * 4, "/large": [b"x" * 2**20] * 32}.get(scope["path"], []):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(LIMIT / 2 if scope["path"] == "/news" else 0)
    await send({"type": "http.response.body", "body": b"done"})


@contextmanager
def running(protocol, options):
    config = uvicorn.Config(application, port=0, **(options | {"http": protocol, "log_config": None}))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield server, server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def served():
    with running(QuickProtocol, web.OPTIONS) as found:
        yield found


@pytest.fixture
def connect(served):
    opened = []

    def connect():
        opened.append(socket.create_connection(served[1], timeout=10))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def is_closed(connection):
    """Whether the server closed the connection; reads everything that it sent."""
    connection.settimeout(10)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def receive(connection):
    received = b""
    while b"done" not in received:
        part = connection.recv(65536)
        assert part, received
        received += part
    return received


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-More: ", POST, POST + b"x" * 99, CHUNKED])
def test_an_incomplete_request_closes_its_connection(connect, sent):
    begun = time.monotonic()
    connections = [connect() for _ in range(20)]
    for each in connections:
        each.sendall(sent)

    assert all(map(is_closed, connections))
    assert LIMIT * 0.9 < time.monotonic() - begun < LIMIT * 6


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nX-More: ", POST, GET + b"GET / HTTP/1.1\r\nX-More: "])
def test_a_slow_request_closes_its_connection(served, connect, start):
    connection, begun = connect(), time.monotonic()
    connection.sendall(start)

    def drip():
        try:
            connection.sendall(b"x")
            connection.settimeout(0.05)
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    wait_until(drip, seconds=LIMIT * 10)
    assert time.monotonic() - begun > LIMIT * 0.9


def test_a_response_that_is_not_read_closes_its_connection(served, connect):
    server = served[0]
    wait_until(lambda: not server.server_state.connections)
    connect().sendall(GET.replace(b"/ ", b"/large "))
    wait_until(lambda: server.server_state.connections)

    wait_until(lambda: not server.server_state.connections, seconds=LIMIT * 20)


def test_a_stream_lasts_longer_than_the_limit(connect):
    connection = connect()
    connection.sendall(GET.replace(b"/ ", b"/news "))

    assert receive(connection).count(b"news") == 4


def test_each_request_of_a_connection_has_the_full_time(connect):
    connection = connect()
    for _ in range(3):
        time.sleep(LIMIT / 2)  # together more than the limit
        connection.sendall(GET)
        receive(connection)


def test_the_server_has_a_limit_of_30_seconds_but_none_on_connections():
    assert web.OPTIONS["http"].seconds == 30
    assert web.OPTIONS["limit_concurrency"] is None
    assert web.OPTIONS["timeout_graceful_shutdown"] == 5


def test_the_command_serves_the_product_on_a_unix_socket(tmp_path, file_with_tables):
    path = tmp_path / "web.sock"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{file_with_tables}",
    }
    words = ["-m", "setup_wizard.project.web", "--uds", path]
    server = forks.Fork(words, cwd=CLONE, env=environment, log=tmp_path / "log")
    wait_until(path.exists, seconds=60)

    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.connect(str(path))
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = connection.makefile("rb").read()
    server.send_signal(15)

    assert answer.endswith(b"ok")
    assert server.wait(20) in {0, -15}
