"""How many streams may be open, and which of them the broadcaster pings and ends."""

import asyncio

import pytest

from setup_wizard.live.stream.open_streams import TooManyStreams
from tests.live.broadcasting import CREATE, JOIN, NEVER, broadcasting, subscribe, until, watching


def test_an_idle_stream_is_pinged():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            assert (await anext(stream)).startswith(b": ping\n")
            assert (await anext(stream)).startswith(b": ping\n")

    broadcasting(test, poll=0.05, ping=0.1)


def test_an_old_stream_tells_the_browser_to_reconnect():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            assert b"event: again\n" in await anext(stream)
            assert [line async for line in stream] == []

    broadcasting(test, poll=0.05, max_age=0.1)


@pytest.mark.parametrize(
    ("change", "event"), [("ended", b"auth"), ("demoted", b"again")], ids=["signed out", "lost a right"]
)
def test_the_streams_of_one_session_end_without_those_of_others(change, event):
    async def test(broadcaster, rows):
        async with watching(broadcaster) as marias, watching(broadcaster, session="ingrids") as ingrids:
            getattr(rows, change).add("marias")
            assert b"event: %s\n" % event in await anext(marias)
            assert [line async for line in marias] == []
            rows.seq[CREATE] = 8
            assert b"data: 8\n" in await anext(ingrids)

    broadcasting(test, poll=0.05, session_check=0.1)


def test_close_ends_every_stream():
    async def test(broadcaster, rows):
        async with watching(broadcaster) as stream:
            broadcaster.close()
            assert b"event: bye\n" in await anext(stream)
            assert [line async for line in stream] == []

    broadcasting(test, poll=NEVER)


def test_a_stuck_reader_is_disconnected_and_removed():
    async def test(broadcaster, rows):
        async def read_one_message_and_hang():
            async with watching(broadcaster) as stream:
                async for _ in stream:
                    await asyncio.Event().wait()

        reader = asyncio.create_task(read_one_message_and_hang())
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert len(broadcaster) == 0

    broadcasting(test, poll=0.05, ping=0.05, send_timeout=0.2)


def test_a_stream_that_is_never_read_is_removed():
    async def test(broadcaster, rows):
        subscribe(broadcaster)
        await until(lambda: not len(broadcaster))

    broadcasting(test, poll=0.05, first_read_timeout=0.1)


@pytest.mark.parametrize(
    ("limit", "other"),
    [
        ("ATTEMPT", {"topics": [CREATE]}),
        ("SESSION", {"topics": [JOIN]}),
        ("USER", {"topics": [JOIN], "session": "marias other"}),
        ("PROCESS", {"topics": [JOIN], "session": "ingrids", "user": "2"}),
    ],
)
def test_each_limit_holds_until_a_stream_ends(settings, limit, other):
    setattr(settings, f"SETUP_WIZARD_STREAMS_PER_{limit}", 1)

    async def test(broadcaster, rows):
        viewer = subscribe(broadcaster, **other)
        with pytest.raises(TooManyStreams):
            subscribe(broadcaster)
        broadcaster.unsubscribe(viewer)
        broadcaster.unsubscribe(viewer)  # must not count twice
        broadcaster.unsubscribe(subscribe(broadcaster))
        assert len(broadcaster) == 0

    broadcasting(test, poll=NEVER)
