"""The password never appears in exceptions, reprs, logs or error reports, whatever the node does."""

import base64
import json
import logging
import sys
import traceback

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from setup_wizard.nodes.client import connect
from setup_wizard.nodes.errors import BootstrapRejected, NodeError
from tests.nodes.conftest import PASSWORD
from tests.nodes.servers import IDLE, always, answer, idle_node

# every other spelling contains the first word of the password
SPELLINGS = {
    "CANARY",
    base64.b64encode(PASSWORD.encode()).decode(),
    base64.b64encode(f"maria@example.com:{PASSWORD}".encode()).decode(),
}

ECHO = PASSWORD.encode()
LATIN = PASSWORD.encode("latin-1")
ECHOES = {
    "status line": b"HTTP/1.1 " + LATIN + b"\r\n\r\n",
    "no http": LATIN + b"\r\n\r\n",
    "reason": b"HTTP/1.1 500 " + LATIN + b"\r\nContent-Length: 0\r\n\r\n",
    "header": b"HTTP/1.1 500 Oops\r\nX-Echo: " + LATIN + b"\r\nContent-Length: 0\r\n\r\n",
    "no header": b"HTTP/1.1 500 Oops\r\n" + LATIN + b"\r\nContent-Length: 0\r\n\r\n",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: " + LATIN + b"\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + LATIN + b"\r\n",
    "text": answer(400, body=ECHO),
    "json": answer(400, {"description": f"cannot read {PASSWORD}"}),
    "json in json": answer(422, {"description": json.dumps({"password": PASSWORD})}),
    "sign-in": answer(400, {"detail": base64.b64encode(f"maria@example.com:{PASSWORD}".encode()).decode()}),
    "page": answer(200, body=b"<html>" + ECHO),
    "refusal": answer(401, body=ECHO),
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + ECHO,
    "redirect": answer(302, Location="https://elsewhere.example.com/"),
}


def leaks(text):
    return [spelling for spelling in SPELLINGS if spelling in text]


def echoing(data):
    def script(peer):
        peer.read_request()
        peer.send(data)

    return script


@pytest.fixture
def exchange(serve, create_request, maria_signs_in):
    """Make one exchange that sends the password, and return the exception."""

    def fail(method, data):
        node = serve(echoing(data))
        calls = {
            "GET": lambda connection: connection.bootstrap_answer(maria_signs_in),
            "POST": lambda connection: connection.bootstrap(create_request),
        }
        with connect(node.endpoint, node.pins) as connection, pytest.raises(NodeError) as failure:
            calls[method](connection)
        return failure.value, connection

    return fail


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_echoed_password_does_not_leak(exchange, caplog, settings, echo, method):
    settings.DEBUG = False
    caplog.set_level(logging.DEBUG)

    error, connection = exchange(method, ECHOES[echo])

    shown = [str(error), repr(error), repr(vars(error)), repr(vars(connection)), caplog.text]
    shown.append("".join(traceback.format_exception(error)))
    report = ExceptionReporter(RequestFactory().get("/"), type(error), error, error.__traceback__)
    # the frames of this test hold the canary themselves; what was called from here must not
    frames = [frame for frame in report.get_traceback_frames() if "/tests/" not in frame["filename"]]
    shown.append(repr([(frame["filename"], frame["function"], frame["vars"]) for frame in frames]))
    assert len(frames) >= 2
    assert [leak for text in shown for leak in leaks(text)] == []


def test_error_report_does_not_contain_the_password(serve, create_request, settings):
    settings.DEBUG = False
    node = serve(idle_node)
    with connect(node.endpoint, node.pins) as connection:
        connection._session.get_adapter = None  # any slip will do: this one breaks inside requests

        try:
            connection.bootstrap(create_request)
        except TypeError:
            report = ExceptionReporter(RequestFactory().get("/"), *sys.exc_info())

    frames = [frame for frame in report.get_traceback_frames() if "/tests/" not in frame["filename"]]
    assert any("requests" in frame["filename"] for frame in frames)
    assert leaks(repr([frame["vars"] for frame in frames])) == []


def test_debug_log_has_only_call_and_outcome(serve, create_request, maria_signs_in, caplog):
    node = serve(idle_node)
    caplog.set_level(logging.DEBUG)

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer(maria_signs_in)
        connection.bootstrap(create_request)

    lines = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(" in ")[0] for line in lines] == [
        f"GET /v1/bootstrap at 127.0.0.1:{node.port}: 200",
        f"POST /v1/bootstrap/create_cluster at 127.0.0.1:{node.port}: 200",
    ]


def test_rejection_keeps_the_text_around_the_password(serve, create_request):
    node = serve(always(answer(400, {"description": f"the password {PASSWORD} is too short"})))

    with pytest.raises(BootstrapRejected) as rejection, connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert rejection.value.body.line == "the password ******** is too short"


@pytest.mark.parametrize("call", ["bootstrap", "validate"])
@pytest.mark.parametrize(
    "secrets",
    [
        {"user_defined_modules": ({"location": {"credentials": {"username": "jan", "code": "tok-4711-xyzzy"}}},)},
        {"user_defined_modules": ({"url": "https://jan:tok-4711-xyzzy@example.com/search.zip"},)},
        {"witness_disk": {"access_tokens": ["tok-4711-xyzzy"]}},
    ],
)
def test_secrets_of_modules_and_witness_disk_are_masked(serve, create_request, secrets, call):
    node = serve(always(answer(404, {"description": "cannot use tok-4711-xyzzy here"})))
    request = create_request.model_copy(update=secrets)

    with pytest.raises(NodeError) as failure, connect(node.endpoint, node.pins) as connection:
        getattr(connection, call)(request)

    assert failure.value.body.line == "cannot use ******** here"


def test_answer_without_secrets_is_unchanged(serve):
    node = serve(always(answer(200, IDLE)))

    with connect(node.endpoint, node.pins) as connection:
        assert connection.bootstrap_answer().status.word == "idle"
