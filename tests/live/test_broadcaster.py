"""One broadcaster for all viewers: what wakes it, what it queries, and how it survives failures."""

import asyncio
import os
import threading
from contextlib import suppress
from uuid import uuid4

import pytest

from setup_wizard.live.stream import queries
from setup_wizard.live.stream.views import messages, topic_message
from setup_wizard.monitoring.models import Heartbeat
from tests.live.broadcasting import CREATE, CREATE_ID, JOIN, LIST, NEVER, broadcasting, subscribe, until, watching


def test_a_notification_is_passed_on_at_once():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            rows.seq[CREATE] = 8
            broadcaster.notify(CREATE_ID)
            assert b"data: 8\n" in await anext(stream)

    rows = broadcasting(test, poll=NEVER)

    assert rows.queried == [{CREATE}]


def test_the_next_poll_makes_up_for_a_lost_notification():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            rows.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, poll=0.05)


def test_a_notification_without_viewers_causes_no_query():
    async def test(broadcaster, rows):
        async with watching(broadcaster):
            broadcaster.notify(uuid4())
            await asyncio.sleep(0.1)

    assert broadcasting(test, poll=NEVER).queried == []


def test_one_query_serves_all_viewers():
    async def test(broadcaster, rows):
        async with (
            watching(broadcaster) as one,
            watching(broadcaster) as two,
            watching(broadcaster, attempt=JOIN, seq=3) as three,
        ):
            rows.seq = {CREATE: 8, JOIN: 4}
            received = await asyncio.gather(anext(one), anext(two), anext(three))
            assert [b"data: 8\n" in received[0], b"data: 8\n" in received[1], b"data: 4\n" in received[2]] == [True] * 3

    rows = broadcasting(test, poll=0.2)

    assert rows.queried[0] == {CREATE, JOIN}
    assert len(rows.queried) <= 2


def test_a_slow_reader_gets_only_the_latest_cursor():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            for seq in range(8, 20):
                rows.seq[CREATE] = seq
                broadcaster.notify(CREATE_ID)
                await asyncio.sleep(0.03)
            assert b"data: 19\n" in await anext(stream)

    assert len(broadcasting(test, poll=NEVER, min_gap=0.0).queried) > 3


def test_streams_wait_for_an_unavailable_database():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            rows.is_away = True
            await until(lambda: len(rows.queried) >= 2)
            rows.is_away, rows.seq[CREATE] = False, 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, poll=0.05)


@pytest.mark.parametrize("question", ["read_cursors", "why_close"])
def test_all_viewers_reconnect_after_a_failure(caplog, question):
    async def test(broadcaster, rows):
        def fail(_):
            raise RuntimeError("a bug")

        works = getattr(broadcaster, f"_{question}")
        setattr(broadcaster, f"_{question}", fail)
        async with watching(broadcaster) as stream:
            assert b"event: again\n" in await anext(stream)
        setattr(broadcaster, f"_{question}", works)
        await until(lambda: broadcaster._running is None)
        async with watching(broadcaster) as stream:
            rows.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, poll=0.05, session_check=0.1)

    assert "a bug" in caplog.text


def test_a_viewer_who_subscribes_during_shutdown_is_notified():
    async def test(broadcaster, rows):
        async with watching(broadcaster):
            pass
        for _ in range(200):  # at every moment of the shutdown
            async with watching(broadcaster) as stream:
                rows.seq[CREATE] += 1
                broadcaster.notify(CREATE_ID)
                assert b"event: changed\n" in await anext(stream)
            await asyncio.sleep(0)

    broadcasting(test, poll=0.05, min_gap=0.0)


def test_the_next_viewer_is_notified_after_a_lost_cancellation():
    """Before Python 3.12 a cancellation is lost when it reaches redis-py just as a send completes."""

    started = []

    async def lose_one():
        started.append(True)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        yield

    async def test(broadcaster, rows):
        async with watching(broadcaster):
            await until(lambda: started)
        async with watching(broadcaster) as stream:
            rows.seq[CREATE] = 8
            broadcaster.notify(CREATE_ID)
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, poll=0.05, listen=lose_one)


def test_one_stream_tells_which_of_its_topics_changed():
    async def test(broadcaster, rows):
        stream = messages(broadcaster, subscribe(broadcaster, [CREATE, LIST]), topic_message)
        first = f"event: changed\ndata: attempt:{CREATE_ID} 7\n\nevent: changed\ndata: attempts 7\n\n"
        assert await anext(stream) == first.encode()
        rows.seq = {CREATE: 7, LIST: 4712}
        assert await anext(stream) == b"event: changed\ndata: attempts 4712\n\n"
        rows.seq[CREATE] = 8
        rows.over.add(CREATE)
        ended = f"event: changed\ndata: attempt:{CREATE_ID} 8\n\nevent: end\ndata: attempt:{CREATE_ID}\n\n"
        assert await anext(stream) == ended.encode()
        rows.seq[LIST] = 4713
        assert await anext(stream) == b"event: changed\ndata: attempts 4713\n\n"
        await stream.aclose()
        assert len(broadcaster) == 0

    broadcasting(test, poll=0.02)


def test_it_stops_without_viewers_and_starts_for_the_next():
    async def test(broadcaster, rows):
        async with watching(broadcaster):
            pass
        await until(lambda: broadcaster._running is None)
        queries_before = len(rows.queried)
        await asyncio.sleep(0.2)
        assert len(rows.queried) == queries_before
        async with watching(broadcaster) as stream:
            rows.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, poll=0.05)


def test_a_hanging_query_is_reported_and_replaced_in_another_thread():
    """The query never returns, as when the machine of the database server is gone."""
    unblocked, answers = threading.Event(), threading.Event()

    async def test(broadcaster, rows):
        read_cursors = broadcaster._read_cursors

        def hang_once(attempt_ids):
            if not answers.is_set():
                unblocked.wait(20)
            return read_cursors(attempt_ids)

        broadcaster._read_cursors = hang_once
        async with watching(broadcaster) as stream:
            assert not broadcaster.is_stuck
            await until(lambda: broadcaster.is_stuck)
            assert b"event: again" in await anext(stream)
        async with watching(broadcaster) as stream:
            assert broadcaster.is_stuck  # a new viewer does not hide it
            answers.set()
            rows.seq[CREATE] = 8
            await until(lambda: not broadcaster.is_stuck)
            assert await anext(stream) == b"id: 8\nevent: changed\ndata: 8\n\n"
        assert not broadcaster.is_stuck

    try:
        broadcasting(test, poll=0.02, query_timeout=0.5, stale=0.2)
    finally:
        unblocked.set()


def test_the_heartbeat_counts_streams_down_to_zero():
    async def test(broadcaster, rows):
        beats = []
        broadcaster._save_heartbeat = beats.append
        async with watching(broadcaster), watching(broadcaster, session="toms"):
            await until(lambda: 2 in beats)
        await until(lambda: beats[-1] == 0)

    broadcasting(test, poll=0.02, broadcaster_heartbeat=0.05)


@pytest.mark.django_db
def test_a_process_has_a_heartbeat_while_it_serves_streams():
    queries.save_heartbeat(3)
    queries.save_heartbeat(4)

    (beat,) = Heartbeat.objects.all()
    assert beat.part.startswith("web:")
    assert beat.part.endswith(f":{os.getpid()}")
    assert beat.streams == 4

    queries.save_heartbeat(0)
    assert not Heartbeat.objects.exists()
