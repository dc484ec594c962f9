"""Each record becomes one line of JSON, with its context and without secrets."""

import io
import json
import logging
import sys
import time

import pytest
from structlog.contextvars import bound_contextvars

from setup_wizard.project.logs import MASK, formatter

BASIC = "Basic YWRtaW5AZXhhbXBsZS5jb206aHVudGVyMg=="


@pytest.fixture
def logger():
    """A logger with our formatter; `lines` returns its output."""
    logger = logging.getLogger("tests.of.logs")
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter("json"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.written = handler.stream
    yield logger
    logger.removeHandler(handler)


def thrown(problem):
    """The same exception with a traceback."""
    try:
        raise problem
    except type(problem) as caught:
        return caught


def lines(logger):
    return [json.loads(line) for line in logger.written.getvalue().splitlines()]


def test_a_line_has_time_level_logger_and_event(logger):
    logger.warning("the queue is %s", "out of reach")

    (line,) = lines(logger)
    assert list(line) == ["time", "level", "logger", "event"]
    assert line["time"].endswith("+00:00")
    assert (line["level"], line["logger"]) == ("warning", "tests.of.logs")
    assert line["event"] == "the queue is out of reach"


def test_context_is_on_its_own_lines_only(logger):
    with bound_contextvars(attempt="5b0e", node="10.0.0.5:9443", lease=7):
        logger.info("asked", extra={"fields": {"kind": "seen"}})
    logger.info("later")

    bound, later = lines(logger)
    assert (bound["attempt"], bound["node"], bound["lease"], bound["kind"]) == ("5b0e", "10.0.0.5:9443", 7, "seen")
    assert "attempt" not in later


def test_a_traceback_stays_on_one_line(logger):
    logger.error("it failed", exc_info=thrown(ValueError("two\nlines")))

    (line,) = lines(logger)
    assert "two\nlines" in line["exception"]
    assert "test_logs.py" in line["exception"]


@pytest.mark.parametrize(("status", "has_traceback"), [(400, False), (403, False), (413, False), (500, True)])
def test_a_refused_request_leaves_no_traceback(logger, status, has_traceback):
    logger.error("Bad request", exc_info=thrown(ValueError("odd")), extra={"status_code": status})

    (line,) = lines(logger)
    assert ("exception" in line) == has_traceback


@pytest.mark.parametrize(
    "words",
    [
        "password=hunter2",
        'sent {"password": "hunter2", "username": "maria"}',
        "sent {'password': 'hunter2'}",
        r'sent {"password": "a \" hunter2"}',
        "user_password: hunter2",
        f"Authorization: {BASIC}",
        f"{{'Authorization': '{BASIC}'}}",
        f"headers [('authorization', '{BASIC}')]",
        f"sent {BASIC} to the node",
        "Bearer hunter2hunter2",
        "Cookie: theme=dark; sessionid=hunter2",
        "Cookie: theme=dark; id=hunter2",
        "Authorization: hunter2",
        "Set-Cookie: sessionid=hunter2; Path=/",
        "csrftoken=hunter2&next=/",
        "GET /sign-in/hunter2/",
        "GET /Sign-In/hunter2",
        "GET /sign-in/?next=%2Fsign-in%2Fhunter2%2F",
        "redis://:hunter2@127.0.0.1:6379/0 is away",
        "GET /setup/new/?address=https%3A//maria%3Ahunter2%4010.0.0.5%3A9443 HTTP/1.1",
        "GET /setup/new/?address=https%3a%2f%2fmaria%3ahunter2%2540x%4010.0.0.5%2fui HTTP/1.1",
        "postgres://maria:hunter2@db.example.com/wizard",
        "-----client_key='hunter2'",
    ],
)
def test_what_looks_like_a_secret_is_masked_anywhere(logger, words):
    problem = thrown(RuntimeError(words))

    logger.error("said: %s", words, exc_info=problem, extra={"fields": {"detail": {"deep": [words]}}})

    written = logger.written.getvalue()
    assert "hunter2" not in written
    assert "aHVudGVyMg" not in written


@pytest.mark.parametrize(
    "name", ["password", "new_password", "credentials", "Authorization", "api_token", "cookie", "SECRET_KEY"]
)
def test_what_is_named_like_a_secret_is_masked_at_any_depth(logger, name):
    logger.info("x", extra={"fields": {name: "hunter2", "request": {"cluster": [{name: ["hunter2"]}]}}})

    (line,) = lines(logger)
    assert line[name] == MASK
    assert line["request"] == {"cluster": [{name: MASK}]}


@pytest.mark.parametrize(
    "word", ["x", "token", "password=", "://a:", "%3A%2F%2Fa%3A", "%", "Cookie: ", "basic ", " ", "'", '="', "\\"]
)
def test_a_long_line_is_searched_quickly(logger, word):
    begun = time.process_time()

    logger.info(word * 50_000)

    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "words",
    [
        "GET /sign-in/ 200",
        "GET /sign-in/?next=/setup/",
        "GET /v1/bootstrap at 10.0.0.5:9443: 200 in 0.012 s",
        "The cluster refused the credentials",
        "the password was refused",
        "https://10.0.0.5:9443/v1/bootstrap",
        "maria@example.com asked",
    ],
)
def test_ordinary_text_stays_as_it_is(logger, words):
    logger.info(words)

    assert lines(logger)[0]["event"] == words


def test_numbers_and_null_keep_their_types(logger):
    logger.info("x", extra={"fields": {"seconds": 1.5, "tries": 3, "held": True, "last": None}})

    (line,) = lines(logger)
    assert (line["seconds"], line["tries"], line["held"], line["last"]) == (1.5, 3, True, None)


def test_a_line_for_a_terminal_has_no_control_characters():
    record = logging.LogRecord(
        "nodes", logging.INFO, __file__, 1, "node says \x1b[2Jhunter\npassword=hunter2", (), None
    )

    shown = formatter("console").format(record)

    assert "node says" in shown
    assert "\x1b[2J" not in shown
    assert "\n" not in shown
    assert "hunter2" not in shown


def test_a_traceback_on_a_terminal_shows_no_variables():
    password = "hunter2"  # a variable of the failing frame
    try:
        int("x" if password else "y")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())

    shown = formatter("console").format(record)

    assert "ValueError" in shown
    assert shown.count("\n") >= 3
    assert "hunter2" not in shown.replace('password = "hunter2"', "")
