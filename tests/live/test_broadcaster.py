"""One broadcaster for all viewers: what wakes it, what it asks, and whom it lets go."""

import asyncio
import os
import threading
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from setup_wizard.live.stream import rows
from setup_wizard.live.stream.broadcaster import Broadcaster, Pace
from setup_wizard.live.stream.viewers import Mark, Seat, TooManyStreams
from setup_wizard.live.stream.views import lines
from setup_wizard.monitoring.models import Heartbeat

CREATE, JOIN = UUID(int=1), UUID(int=2)
NEVER = 60.0


class Rows:
    """The rows as the broadcaster sees them, and every question that it asked."""

    def __init__(self):
        self.seq = {CREATE: 7, JOIN: 3}
        self.ended = set()
        self.asked = []
        self.is_away = False

    def look(self, attempt_ids):
        self.asked.append(set(attempt_ids))
        if self.is_away:
            raise OperationalError("away")
        return {each: Mark(self.seq[each], is_open=True) for each in attempt_ids}

    def ended_sessions(self, sessions):
        return self.ended & set(sessions)


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited 5 s")


async def hear_nothing():
    await asyncio.Event().wait()
    yield


@asynccontextmanager
async def watching(broadcaster, *, attempt=CREATE, session="marias", mark=7):
    """A stream that has given its first line; ended at the end, as by a browser that goes away."""
    stream = lines(broadcaster, broadcaster.seat(Seat(attempt, session, "1"), Mark(mark, is_open=True)))
    assert await anext(stream) == b"id: %d\nevent: changed\ndata: %d\n\n" % (mark, mark)
    try:
        yield stream
    finally:
        await stream.aclose()


def broadcasting(test, *, listen=hear_nothing, **pace):
    """Run an asynchronous test with a broadcaster that has rows of its own; gives the rows."""
    seen = Rows()

    async def run():
        broadcaster = Broadcaster(look=seen.look, ended_sessions=seen.ended_sessions, listen=listen, pace=Pace(**pace))
        async with asyncio.timeout(10):
            await test(broadcaster, seen)

    asyncio.run(run())
    return seen


def test_the_bell_wakes_it_at_once():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            seen.seq[CREATE] = 8
            broadcaster.ring(CREATE)
            assert b"data: 8\n" in await anext(stream)

    seen = broadcasting(test, look=NEVER)

    assert seen.asked == [{CREATE}]


def test_a_bell_that_was_lost_is_made_good_by_the_next_look():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            seen.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, look=0.05)


def test_a_bell_for_an_attempt_that_nobody_watches_costs_nothing():
    async def test(broadcaster, seen):
        async with watching(broadcaster):
            broadcaster.ring(uuid4())
            await asyncio.sleep(0.1)

    assert broadcasting(test, look=NEVER).asked == []


def test_it_asks_once_for_all_viewers_together():
    async def test(broadcaster, seen):
        async with (
            watching(broadcaster) as one,
            watching(broadcaster) as two,
            watching(broadcaster, attempt=JOIN, mark=3) as three,
        ):
            seen.seq = {CREATE: 8, JOIN: 4}
            told = await asyncio.gather(anext(one), anext(two), anext(three))
            assert [b"data: 8\n" in told[0], b"data: 8\n" in told[1], b"data: 4\n" in told[2]] == [True] * 3

    seen = broadcasting(test, look=0.2)

    assert seen.asked[0] == {CREATE, JOIN}
    assert len(seen.asked) <= 2


def test_a_slow_reader_gets_only_the_latest():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            for seq in range(8, 20):
                seen.seq[CREATE] = seq
                broadcaster.ring(CREATE)
                await asyncio.sleep(0.03)
            assert b"data: 19\n" in await anext(stream)

    assert len(broadcasting(test, look=NEVER, apart=0.0).asked) > 3


def test_a_quiet_line_is_kept_warm():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            assert (await anext(stream)).startswith(b": ping\n")
            assert (await anext(stream)).startswith(b": ping\n")

    broadcasting(test, look=0.05, ping=0.1)


def test_a_stream_ends_after_its_time_and_the_browser_comes_back():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            assert b"event: again\n" in await anext(stream)
            assert [line async for line in stream] == []

    broadcasting(test, look=0.05, life=0.1)


def test_a_database_that_is_away_is_waited_for():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            seen.is_away = True
            await until(lambda: len(seen.asked) >= 2)
            seen.is_away, seen.seq[CREATE] = False, 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, look=0.05)


@pytest.mark.parametrize("question", ["look", "ended_sessions"])
def test_a_part_that_fails_lets_everybody_connect_anew(caplog, question):
    async def test(broadcaster, seen):
        def fail(_):
            raise RuntimeError("a mistake of ours")

        works = getattr(broadcaster, f"_{question}")
        setattr(broadcaster, f"_{question}", fail)
        async with watching(broadcaster) as stream:
            assert b"event: again\n" in await anext(stream)
        setattr(broadcaster, f"_{question}", works)
        await until(lambda: broadcaster._work is None)
        async with watching(broadcaster) as stream:
            seen.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, look=0.05, session=0.1)

    assert "a mistake of ours" in caplog.text


def test_somebody_who_comes_while_the_work_is_put_down_is_told_too():
    async def test(broadcaster, seen):
        async with watching(broadcaster):
            pass
        for _ in range(200):  # at every moment of it
            async with watching(broadcaster) as stream:
                seen.seq[CREATE] += 1
                broadcaster.ring(CREATE)
                assert b"event: changed\n" in await anext(stream)
            await asyncio.sleep(0)

    broadcasting(test, look=0.05, apart=0.0)


def test_who_comes_next_is_looked_after_though_a_cancellation_was_lost():
    """Before Python 3.12 one is lost when it meets redis-py in the moment in which it has sent something."""

    begun = []

    async def lose_one():
        begun.append(True)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()
        yield

    async def test(broadcaster, seen):
        async with watching(broadcaster):
            await until(lambda: begun)
        async with watching(broadcaster) as stream:
            seen.seq[CREATE] = 8
            broadcaster.ring(CREATE)
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, look=0.05, listen=lose_one)


def test_who_is_signed_out_is_told_and_nobody_else():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as marias, watching(broadcaster, session="ingrids") as ingrids:
            seen.ended.add("marias")
            assert b"event: auth\n" in await anext(marias)
            assert [line async for line in marias] == []
            seen.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(ingrids)

    broadcasting(test, look=0.05, session=0.1)


def test_at_the_end_everybody_is_told_goodbye():
    async def test(broadcaster, seen):
        async with watching(broadcaster) as stream:
            broadcaster.close()
            assert b"event: bye\n" in await anext(stream)
            assert [line async for line in stream] == []

    broadcasting(test, look=NEVER)


def test_a_reader_that_takes_nothing_is_cut_off_and_counted_out():
    async def test(broadcaster, seen):
        async def read_one_line_and_stick():
            async with watching(broadcaster) as stream:
                async for _ in stream:
                    await asyncio.Event().wait()

        reader = asyncio.create_task(read_one_line_and_stick())
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert len(broadcaster) == 0

    broadcasting(test, look=0.05, ping=0.05, stuck=0.2)


def test_a_reader_that_never_began_is_counted_out():
    async def test(broadcaster, seen):
        broadcaster.seat(Seat(CREATE, "marias", "1"), Mark(7, is_open=True))
        await until(lambda: not len(broadcaster))

    broadcasting(test, look=0.05, unread=0.1)


def test_it_rests_while_nobody_watches_and_works_again_for_the_next():
    async def test(broadcaster, seen):
        async with watching(broadcaster):
            pass
        await until(lambda: broadcaster._work is None)
        asked = len(seen.asked)
        await asyncio.sleep(0.2)
        assert len(seen.asked) == asked
        async with watching(broadcaster) as stream:
            seen.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(stream)

    broadcasting(test, look=0.05)


@pytest.mark.parametrize(
    ("limit", "others"),
    [
        ("ATTEMPT", [Seat(CREATE, "marias", "1")]),
        ("SESSION", [Seat(JOIN, "marias", "1")]),
        ("USER", [Seat(JOIN, "marias other", "1")]),
        ("PROCESS", [Seat(JOIN, "ingrids", "2")]),
    ],
)
def test_each_limit_holds_and_is_free_again(settings, limit, others):
    setattr(settings, f"SETUP_WIZARD_STREAMS_PER_{limit}", 1)

    async def test(broadcaster, seen):
        viewers = [broadcaster.seat(seat, Mark(7, is_open=True)) for seat in others]
        with pytest.raises(TooManyStreams):
            broadcaster.seat(Seat(CREATE, "marias", "1"), Mark(7, is_open=True))
        for viewer in viewers:
            broadcaster.leave(viewer)
            broadcaster.leave(viewer)  # a second time must not free a second place
        broadcaster.leave(broadcaster.seat(Seat(CREATE, "marias", "1"), Mark(7, is_open=True)))
        assert len(broadcaster) == 0

    broadcasting(test, look=NEVER)


def test_one_that_the_database_keeps_waiting_is_known_to_be_stuck_and_begins_anew_in_another_thread():
    """W18: a question that never comes back, such as one whose server's machine is gone."""
    gone, answers = threading.Event(), threading.Event()

    async def test(broadcaster, seen):
        ask = broadcaster._look

        def hang_once(attempt_ids):
            if not answers.is_set():
                gone.wait(20)
            return ask(attempt_ids)

        broadcaster._look = hang_once
        async with watching(broadcaster) as stream:
            assert not broadcaster.is_stuck
            await until(lambda: broadcaster.is_stuck)
            assert b"event: again" in await anext(stream)
        async with watching(broadcaster) as stream:
            assert broadcaster.is_stuck  # that somebody came back does not hide it
            answers.set()
            seen.seq[CREATE] = 8
            await until(lambda: not broadcaster.is_stuck)
            assert await anext(stream) == b"id: 8\nevent: changed\ndata: 8\n\n"
        assert not broadcaster.is_stuck

    try:
        broadcasting(test, look=0.02, question=0.5, stale=0.2)
    finally:
        gone.set()


def test_it_shows_how_many_watch_and_at_the_end_that_nobody_does():
    async def test(broadcaster, _):
        beats = []
        broadcaster._beat = beats.append
        async with watching(broadcaster), watching(broadcaster, session="toms"):
            await until(lambda: 2 in beats)
        await until(lambda: beats[-1] == 0)

    broadcasting(test, look=0.02, beat=0.05)


@pytest.mark.django_db
def test_a_process_has_a_heartbeat_while_it_has_streams():
    rows.beat(3)
    rows.beat(4)

    (beat,) = Heartbeat.objects.all()
    assert beat.part.startswith("web:")
    assert beat.part.endswith(f":{os.getpid()}")
    assert beat.streams == 4

    rows.beat(0)
    assert not Heartbeat.objects.exists()
