"""The stream of one attempt: `/attempts/<id>/stream`, and the lines that go over it.

    id: 7             an event of the attempt: its number, at once on connect and at each that follows
    event: changed
    data: 7

`ping` says every 15 s that the line stands. `end` follows the verdict, `auth` the end of the session, `bye` the end of
the process and `again` a stream that has lasted long; the browser comes back by itself after these three.
"""

import asyncio
from collections.abc import AsyncIterator
from random import randint
from typing import cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from setup_wizard.access.permissions import Permission, needs
from setup_wizard.access.sessions import in_background
from setup_wizard.live.stream import process, rows
from setup_wizard.live.stream.broadcaster import Broadcaster
from setup_wizard.live.stream.viewers import CloseReason, Mark, Seat, TooManyStreams, Viewer

RETRY_SECONDS = 3
TOO_MANY = 429
NOT_HERE = 503
PING = b": ping\nevent: ping\ndata: ping\n\n"
END = b"event: end\ndata: end\n\n"


class Stream(StreamingHttpResponse):
    """An answer whose lines go out as they are: bytes already, and through no further generators."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the lines themselves."""
        return cast("AsyncIterator[bytes]", self._iterator)  # type: ignore[attr-defined]  # Django's own name


@in_background
@needs(Permission.READ)
@require_GET
async def watch(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
    """Stream the news of one attempt; 429 when too many streams are open, 503 where none can be."""
    mark = await sync_to_async(rows.mark_for)(request, attempt_id)
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
    answer = Stream(lines(broadcaster, viewer), content_type="text/event-stream")
    answer["Cache-Control"] = "no-store, no-transform"  # compressed, a message would wait for the next one
    answer["X-Accel-Buffering"] = "no"
    return answer


async def lines(broadcaster: Broadcaster, viewer: Viewer) -> AsyncIterator[bytes]:
    """Give what goes over one stream, from the first message to its end; asks nobody but the viewer.

    With a thousand of them each step counts: the broadcaster keeps the time for all, and nothing here has a timer.
    """
    clock = asyncio.get_running_loop().time
    viewer.task = asyncio.current_task()
    told: Mark | None = None
    try:
        while told is None or told.is_open:
            viewer.wake.clear()
            line, ends = _next_line(viewer, told)
            told = viewer.mark
            if line:
                viewer.sending_since = viewer.sent_at = clock()
                yield line
                viewer.sending_since = None
            if ends:
                return
            await viewer.wake.wait()  # what was told while the line went out has set it again
    finally:
        broadcaster.leave(viewer)


def _next_line(viewer: Viewer, told: Mark | None) -> tuple[bytes, bool]:
    """Say what is to be sent now, and whether it is the last."""
    mark, line = viewer.mark, b""
    if mark != told:
        line = b"id: %d\nevent: changed\ndata: %d\n\n" % (mark.seq, mark.seq)
    if not mark.is_open:
        return line + END, True
    if viewer.farewell:
        return line + _goodbye(viewer.farewell), True
    if not line and viewer.is_settled:
        line = PING
    viewer.is_settled = False
    return line, False


def _goodbye(farewell: CloseReason) -> bytes:
    """Say why the stream ends, and spread the moments at which the browsers come back."""
    return b"retry: %d\nevent: %s\ndata: %s\n\n" % (randint(500, 2000), farewell.encode(), farewell.encode())  # noqa: S311


def _refused(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain", headers={"Retry-After": str(RETRY_SECONDS)})
