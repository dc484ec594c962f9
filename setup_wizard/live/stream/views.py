"""The two streams and their messages: `/attempts/<id>/stream` of one attempt, `/stream?topic=…` of a whole browser.

    id: 7             the number of the attempt's last event: sent on connect, and whenever there is a later one
    event: changed
    data: 7

    event: changed
    data: home 4711   a topic and its cursor: each on connect, then whenever one changes

`ping` every 15 s shows that the connection works. `end` follows the outcome of an attempt or a run. `auth` is sent when
the session has ended, `bye` when the process stops, and `again` when the stream is old, when its user may no longer see
a topic or when the broadcaster has failed; after these three the browser reconnects by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from random import randint
from typing import Final, TypeAlias, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.live.stream import process, queries
from setup_wizard.live.stream.broadcaster import Broadcaster
from setup_wizard.live.stream.open_streams import CloseReason, OpenStream, Subscription, TooManyStreams
from setup_wizard.live.topics import ATTEMPT, Cursor, Topic

Writer: TypeAlias = Callable[[str, Cursor], bytes]

MAX_TOPICS: Final = 32  # of one browser: each visible tab watches two or three
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
    return await _open(request, [f"{ATTEMPT.name}:{attempt_id}"], attempt_message)


@in_background
@needs(Permission.READ)
@require_GET
async def watch_topics(request: HttpRequest) -> HttpResponseBase:
    """Stream changes of the topics in `?topic=`, which may be repeated; otherwise as `watch`."""
    return await _open(request, dict.fromkeys(request.GET.getlist("topic")[:MAX_TOPICS]), topic_message)


async def _open(request: HttpRequest, names: Iterable[str], write: Writer) -> HttpResponseBase:
    user = signed_in_user(request)
    watched, cursors = await sync_to_async(queries.visible_topics)(user, names)
    if not watched:
        raise Http404
    if not isinstance(request, ASGIRequest):  # a WSGI server would wait for the end of the stream
        return _refused("Streams need an ASGI server.", UNAVAILABLE)
    broadcaster = process.broadcaster()
    if broadcaster.is_closing:
        return _refused("This server is stopping.", UNAVAILABLE)
    subscription = Subscription(watched, request.session.session_key or "", str(user.pk))
    try:
        stream = broadcaster.subscribe(subscription, cursors)
    except TooManyStreams as limit:
        return _refused(f"Too many streams: {limit}. The page polls every few seconds instead.", TOO_MANY)
    response = EventStream(messages(broadcaster, stream, write), content_type="text/event-stream")
    response["Cache-Control"] = "no-store, no-transform"  # compressed, a message would wait for the next one
    response["X-Accel-Buffering"] = "no"
    return response


async def messages(broadcaster: Broadcaster, stream: OpenStream, write: Writer) -> AsyncIterator[bytes]:
    """Yield the messages of one stream, until all its topics have ended.

    With a thousand streams each step counts: the broadcaster keeps time for all of them, nothing here has a timer.
    """
    clock = asyncio.get_running_loop().time
    stream.task = asyncio.current_task()
    sent: dict[Topic, Cursor] = {}
    try:
        while True:
            stream.wake.clear()
            message, is_last = _next_message(stream, sent, write)
            if message:
                stream.sending_since = stream.sent_at = clock()
                yield message
                stream.sending_since = None
            if is_last:
                return
            await stream.wake.wait()  # set already when something came while the message was being sent
    finally:
        broadcaster.unsubscribe(stream)


def _next_message(stream: OpenStream, sent: dict[Topic, Cursor], write: Writer) -> tuple[bytes, bool]:
    """Return what to send now, and whether it is the last message; note in `sent` what it tells."""
    message, is_open = b"", False
    for topic, cursor in stream.cursors.items():
        if sent.get(topic) != cursor:
            sent[topic] = cursor
            message += write(stream.subscription.names[topic], cursor)
        is_open |= cursor.is_open
    if not is_open:
        return message, True
    if stream.close_reason:
        return message + _closing_message(stream.close_reason), True
    if not message and stream.needs_ping:
        message = PING
    stream.needs_ping = False
    return message, False


def attempt_message(_: str, cursor: Cursor) -> bytes:
    """Write the message of a stream of one attempt."""
    message = b"id: %d\nevent: changed\ndata: %d\n\n" % (cursor.seq, cursor.seq)
    return message if cursor.is_open else message + END


def topic_message(name: str, cursor: Cursor) -> bytes:
    """Write the message of a stream of several topics."""
    topic = name.encode()
    message = b"event: changed\ndata: %s %d\n\n" % (topic, cursor.seq)
    return message if cursor.is_open else message + b"event: end\ndata: %s\n\n" % topic


def _closing_message(reason: CloseReason) -> bytes:
    """Say why the stream ends, and let browsers reconnect at different moments."""
    return b"retry: %d\nevent: %s\ndata: %s\n\n" % (randint(500, 2000), reason.encode(), reason.encode())  # noqa: S311


def _refused(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain", headers={"Retry-After": str(RETRY_SECONDS)})
