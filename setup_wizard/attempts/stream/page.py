"""The stream of one attempt: `/attempts/<id>/stream`, and the lines that go over it.

    id: 7             an event of the attempt: its number, at once on connect and at each that follows
    event: changed
    data: 7

`ping` says every 15 s that the line stands. `end` follows the verdict, `auth` the end of the session, `bye` the end of
the process; the browser comes back by itself after the last two.
"""

import asyncio
from collections.abc import AsyncIterator
from random import randint
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from setup_wizard.attempts.stream import process, rows
from setup_wizard.attempts.stream.broadcaster import Broadcaster
from setup_wizard.attempts.stream.viewers import Farewell, Mark, Seat, TooManyStreams, Viewer

RETRY_SECONDS = 3
TOO_MANY = 429
NOT_HERE = 503
PING = b": ping\nevent: ping\ndata: ping\n\n"
END = b"event: end\ndata: end\n\n"


@require_GET
async def watch(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
    """Stream the news of one attempt; 429 when too many streams are open, 503 where none can be."""
    mark = (await sync_to_async(rows.marks)([attempt_id])).get(attempt_id)
    if mark is None:
        raise Http404
    if not isinstance(request, ASGIRequest):  # a server of the older kind would wait for the end of the stream
        return _refused("Streams need an ASGI server.", NOT_HERE)
    broadcaster = process.broadcaster()
    if broadcaster.is_closing:
        return _refused("This server is stopping.", NOT_HERE)
    user_id = await request.session.aget(SESSION_KEY)  # read by now, to see whether anybody is signed in
    seat = Seat(attempt_id, request.session.session_key or "", str(user_id))
    try:
        viewer = broadcaster.seat(seat, mark)
    except TooManyStreams as limit:
        return _refused(f"Too many streams: {limit}. The page asks every few seconds instead.", TOO_MANY)
    answer = StreamingHttpResponse(lines(broadcaster, viewer), content_type="text/event-stream")
    answer["Cache-Control"] = "no-store, no-transform"  # compressed, a message would wait for the next one
    answer["X-Accel-Buffering"] = "no"
    return answer


async def lines(broadcaster: Broadcaster, viewer: Viewer) -> AsyncIterator[bytes]:
    """Give what goes over one stream, from the first message to its end; asks nobody but the viewer."""
    clock = asyncio.get_running_loop().time
    viewer.task = asyncio.current_task()
    ends_at = clock() + broadcaster.pace.life * randint(90, 110) / 100  # noqa: S311 - spreads load, guards nothing
    try:
        async for line in _news(viewer, broadcaster.pace.ping, ends_at):
            viewer.sending_since = clock()
            yield line
            viewer.sending_since = None
    finally:
        broadcaster.leave(viewer)


async def _news(viewer: Viewer, ping: float, ends_at: float) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    told: Mark | None = None
    while True:
        viewer.wake.clear()
        if viewer.mark != told:
            told = viewer.mark
            yield b"id: %d\nevent: changed\ndata: %d\n\n" % (told.seq, told.seq)
        if not told.is_open:
            yield END
            return
        if viewer.farewell:
            yield _goodbye(viewer.farewell)
            return
        if clock() >= ends_at:
            return
        try:
            # what was told while the last line went out has set `wake` again
            async with asyncio.timeout_at(min(clock() + ping, ends_at)):
                await viewer.wake.wait()
        except TimeoutError:
            yield PING


def _goodbye(farewell: Farewell) -> bytes:
    """Say why the stream ends, and spread the moments at which the browsers come back."""
    return b"retry: %d\nevent: %s\ndata: %s\n\n" % (randint(500, 2000), farewell.encode(), farewell.encode())  # noqa: S311


def _refused(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain", headers={"Retry-After": str(RETRY_SECONDS)})
