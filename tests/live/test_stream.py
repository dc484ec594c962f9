"""The stream as a browser receives it: from a web process, over a socket."""

import signal
import time
from contextlib import ExitStack
from uuid import UUID

import pytest

from setup_wizard.attempts.pubsub import Publisher
from tests.live.web_server import Web
from tests.project.processes import wait_until
from tests.redis_servers import running_redis

pytestmark = pytest.mark.timeout(120)

NAMES = ("maria", "ingrid", "tomás", "amir", "chiara", "jonas")


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A web process without Redis: the database alone must do."""
    hosts = [f"10.0.0.{number}" for number in range(5, 20)]
    web = Web(tmp_path_factory.mktemp("web"), names=NAMES, hosts=hosts)
    yield web
    web.stop()
    assert "Traceback" not in "".join(web.log)


@pytest.fixture
def attempt(web):
    """An attempt that no other test has changed."""
    return web.attempts.pop()


def sessions_of(web, name):
    return web.sessions[NAMES.index(name)]


def test_a_stream_begins_with_the_current_event(web, attempt):
    with web.watch(attempt, sessions_of(web, "maria")[0]) as stream:
        first = stream.read()

    assert (stream.status, first) == (200, {"id": "7", "event": "changed", "data": "7"})


def test_a_stream_is_neither_cached_nor_buffered_nor_compressed(web, attempt):
    with web.watch(attempt, sessions_of(web, "maria")[0]) as stream:
        headers = stream.headers

    assert headers["Content-Type"] == "text/event-stream"
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Content-Encoding"] is None
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_changes_arrive_within_about_a_second_without_redis(web, attempt):
    with web.watch(attempt, sessions_of(web, "maria")[0]) as stream:
        stream.read()
        began = time.monotonic()

        web.save_event(attempt, 8)
        message = stream.read()

    assert message["data"] == "8"
    assert time.monotonic() - began < 5


def test_the_outcome_ends_the_stream(web, attempt):
    with web.watch(attempt, sessions_of(web, "maria")[0]) as stream:
        stream.read()

        web.save_event(attempt, 8, state="succeeded")

        assert [stream.read(), stream.read(), stream.read()] == [
            {"id": "8", "event": "changed", "data": "8"},
            {"event": "end", "data": "end"},
            None,
        ]


def test_the_stream_of_an_ended_attempt_ends_at_once(web, attempt):
    web.save_event(attempt, 9, state="failed")

    with web.watch(attempt, sessions_of(web, "maria")[0]) as stream:
        events = [stream.read()["event"], stream.read()["event"]]

    assert events == ["changed", "end"]


def test_a_third_stream_of_an_attempt_in_one_browser_waits_its_turn(web, attempt):
    browser = sessions_of(web, "ingrid")[0]
    with web.watch(attempt, browser) as first, web.watch(attempt, browser) as second:
        first.read(), second.read()
        with web.watch(attempt, browser) as third:
            assert third.status == 429
            assert third.headers["Retry-After"] == "3"
        with web.watch(attempt, sessions_of(web, "ingrid")[1]) as elsewhere:
            assert elsewhere.status == 200

    def opens_again():
        with web.watch(attempt, browser) as again:
            return again.status == 200

    wait_until(opens_again)


def test_streams_are_limited_for_each_browser_and_each_user(web):
    a, b, c = web.attempts[:3]
    first, second, third, _ = sessions_of(web, "tomás")
    with ExitStack() as streams:
        of_one_browser = [streams.enter_context(web.watch(each, first)).status for each in (a, a, b, b, c)]
        of_one_user = [streams.enter_context(web.watch(each, second)).status for each in (a, a, b, b)]
        over = streams.enter_context(web.watch(c, third)).status

    assert of_one_browser == [200, 200, 200, 200, 429]
    assert of_one_user == [200, 200, 200, 200]
    assert over == 429


def test_a_stream_needs_a_sign_in(web, attempt):
    connection, answer = web.ask(f"/attempts/{attempt}/stream")
    connection.close()

    assert answer.status == 302
    assert answer.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/attempts/00000000-0000-0000-0000-000000000000/stream", 404), ("POST", None, (403, 405))],
)
def test_only_a_get_of_an_attempt_opens_a_stream(web, method, path, status):
    path = path or f"/attempts/{web.attempts[0]}/stream"

    connection, answer = web.ask(path, sessions_of(web, "maria")[0], method)
    connection.close()

    assert answer.status == status or answer.status in status


@pytest.mark.slow
def test_a_stream_ends_within_half_a_minute_of_the_session(web, attempt):
    session = sessions_of(web, "amir")[0]
    with web.watch(attempt, session) as stream, web.watch(attempt, sessions_of(web, "amir")[1]) as other:
        stream.read(), other.read()
        began = time.monotonic()

        web.write("DELETE FROM django_session WHERE session_key = ?", session)
        events = [message["event"] for message in iter(stream.read, None)]

        assert time.monotonic() - began < 30
        assert events == ["ping", "auth"]
        assert other.read()["event"] == "ping"  # another browser of the same user is not affected


def test_open_streams_hold_neither_threads_nor_database_connections(web):
    watched = web.attempts[:2]
    with ExitStack() as streams:
        for name in ("chiara", "jonas"):
            for session in sessions_of(web, name)[:2]:
                for attempt in [*watched, *watched]:
                    assert streams.enter_context(web.watch(attempt, session)).read()["event"] == "changed"

        wait_until(lambda: web.open_databases <= 7)  # four of requests, one of the broadcaster, two since the start
        assert web.threads <= 12


class TestWithRedis:
    @pytest.fixture(scope="class")
    def redis(self):
        with running_redis() as url:
            yield url

    @pytest.fixture
    def with_redis(self, redis, tmp_path):
        web = Web(tmp_path, redis)
        yield web
        web.stop()

    def test_changes_arrive_at_once_when_redis_publishes_them(self, with_redis, redis, settings):
        settings.REDIS_URL = redis
        attempt, publisher, durations = with_redis.attempts[0], Publisher(), []
        with with_redis.watch(attempt, with_redis.sessions[0][0]) as stream:
            stream.read()
            for seq in range(8, 28):
                began = time.monotonic()
                with_redis.save_event(attempt, seq)
                publisher.put(UUID(attempt))
                assert stream.read()["data"] == str(seq)
                durations.append(time.monotonic() - began)

        assert sorted(durations)[len(durations) // 2] < 0.2  # polling once a second takes half a second

    def test_a_stopping_server_ends_its_streams_and_does_not_wait(self, with_redis):
        with with_redis.watch(with_redis.attempts[0], with_redis.sessions[0][0]) as stream:
            stream.read()
            began = time.monotonic()

            with_redis.process.send_signal(signal.SIGTERM)
            message = stream.read()

            assert message["event"] == "bye"
            assert 500 <= int(message["retry"]) <= 2000
            assert stream.read() is None
        with_redis.process.wait(10)
        assert time.monotonic() - began < 4  # its grace period for open responses is 5 s
