"""A broadcaster with rows of its own, for tests of what it sends and which streams it ends."""

import asyncio
from contextlib import asynccontextmanager
from uuid import UUID

from django.db import OperationalError

from setup_wizard.live.stream.broadcaster import Broadcaster
from setup_wizard.live.stream.open_streams import CloseReason, Subscription
from setup_wizard.live.stream.timing import Intervals
from setup_wizard.live.stream.views import attempt_message, messages
from setup_wizard.live.topics import Cursor, Topic

CREATE_ID = UUID(int=1)
CREATE, JOIN, LIST = Topic("attempt", str(CREATE_ID)), Topic("attempt", str(UUID(int=2))), Topic("attempts")
NEVER = 60.0


class Rows:
    """The rows as the broadcaster sees them, and every query that it made."""

    def __init__(self):
        self.seq = {CREATE: 7, JOIN: 3, LIST: 4711}
        self.ended, self.demoted, self.over = set(), set(), set()
        self.queried = []
        self.is_away = False

    def read_cursors(self, topics):
        self.queried.append(set(topics))
        if self.is_away:
            raise OperationalError("away")
        return {each: Cursor(self.seq[each], is_open=each not in self.over) for each in topics}

    def why_close(self, subscription):
        if subscription.session_key in self.ended:
            return CloseReason.SIGNED_OUT
        return CloseReason.RECONNECT if subscription.session_key in self.demoted else None


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited 5 s")


async def receive_nothing():
    await asyncio.Event().wait()
    yield


def subscribe(broadcaster, topics=(CREATE,), session="marias", user="1", seq=7):
    names = {topic: ":".join(filter(None, topic)) for topic in topics}
    return broadcaster.subscribe(Subscription(names, session, user), {topic: Cursor(seq) for topic in topics})


@asynccontextmanager
async def watching(broadcaster, *, attempt=CREATE, session="marias", seq=7):
    """A stream that has sent its first message; closed at the end, as by a browser that leaves."""
    stream = messages(broadcaster, subscribe(broadcaster, [attempt], session, seq=seq), attempt_message)
    assert await anext(stream) == b"id: %d\nevent: changed\ndata: %d\n\n" % (seq, seq)
    try:
        yield stream
    finally:
        await stream.aclose()


def broadcasting(test, *, listen=receive_nothing, **intervals):
    """Run an asynchronous test with a broadcaster and rows of its own; returns the rows."""
    rows = Rows()

    async def run():
        broadcaster = Broadcaster(
            read_cursors=rows.read_cursors,
            why_close=rows.why_close,
            listen=listen,
            intervals=Intervals(**intervals),
        )
        async with asyncio.timeout(10):
            await test(broadcaster, rows)

    asyncio.run(run())
    return rows
