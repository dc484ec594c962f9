"""The stream of one attempt: `/attempts/<id>/stream`, and its messages.

    id: 7             the number of the attempt's last event: sent on connect, and whenever there is a later one
    event: changed
    data: 7

`ping` every 15 s shows that the connection works. `end` follows the outcome. `auth` is sent when the session has ended,
`bye` when the process stops and `again` when the stream is old or the broadcaster has failed; after these three the
browser reconnects by itself.
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
from setup_wizard.live.stream import process, queries
from setup_wizard.live.stream.broadcaster import Broadcaster
from setup_wizard.live.stream.open_streams import CloseReason, Cursor, OpenStream, Subscription, TooManyStreams

RETRY_SECONDS = 3
TOO_MANY = 429
UNAVAILABLE = 503
PING = b": ping\nevent: ping\ndata: ping\n\n"
END = b"event: end\ndata: end\n\n"


class EventStream(StreamingHttpResponse):
    """A response whose messages are sent as they are: they are bytes already, and need no further generators."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return cast("AsyncIterator[bytes]", self._iterator)  # type: ignore[attr-defined]  # Django's own name


@in_background
@needs(Permission.READ)
@require_GET
async def watch(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
    """Stream changes of one attempt; 429 when too many streams are open, 503 where streams are impossible."""
    cursor = await sync_to_async(queries.visible_cursor)(request, attempt_id)
    if cursor is None:
        raise Http404
    if not isinstance(request, ASGIRequest):  # a WSGI server would wait for the end of the stream
        return _refused("Streams need an ASGI server.", UNAVAILABLE)
    broadcaster = process.broadcaster()
    if broadcaster.is_closing:
        return _refused("This server is stopping.", UNAVAILABLE)
    user_id = await request.session.aget(SESSION_KEY)  # loaded already, when the sign-in was checked
    subscription = Subscription(attempt_id, request.session.session_key or "", str(user_id))
    try:
        stream = broadcaster.subscribe(subscription, cursor)
    except TooManyStreams as limit:
        return _refused(f"Too many streams: {limit}. The page polls every few seconds instead.", TOO_MANY)
    response = EventStream(messages(broadcaster, stream), content_type="text/event-stream")
    response["Cache-Control"] = "no-store, no-transform"  # compressed, a message would wait for the next one
    response["X-Accel-Buffering"] = "no"
    return response


async def messages(broadcaster: Broadcaster, stream: OpenStream) -> AsyncIterator[bytes]:
    """Yield the messages of one stream.

    With a thousand streams each step counts: the broadcaster keeps time for all of them, nothing here has a timer.
    """
    clock = asyncio.get_running_loop().time
    stream.task = asyncio.current_task()
    sent: Cursor | None = None
    try:
        while sent is None or sent.is_open:
            stream.wake.clear()
            message, is_last = _next_message(stream, sent)
            sent = stream.cursor
            if message:
                stream.sending_since = stream.sent_at = clock()
                yield message
                stream.sending_since = None
            if is_last:
                return
            await stream.wake.wait()  # set already when something came while the message was being sent
    finally:
        broadcaster.unsubscribe(stream)


def _next_message(stream: OpenStream, sent: Cursor | None) -> tuple[bytes, bool]:
    """Return what to send now, and whether it is the last message."""
    cursor, message = stream.cursor, b""
    if cursor != sent:
        message = b"id: %d\nevent: changed\ndata: %d\n\n" % (cursor.seq, cursor.seq)
    if not cursor.is_open:
        return message + END, True
    if stream.close_reason:
        return message + _closing_message(stream.close_reason), True
    if not message and stream.needs_ping:
        message = PING
    stream.needs_ping = False
    return message, False


def _closing_message(reason: CloseReason) -> bytes:
    """Say why the stream ends, and let browsers reconnect at different moments."""
    return b"retry: %d\nevent: %s\ndata: %s\n\n" % (randint(500, 2000), reason.encode(), reason.encode())  # noqa: S311


def _refused(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain", headers={"Retry-After": str(RETRY_SECONDS)})
