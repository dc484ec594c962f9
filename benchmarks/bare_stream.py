"""The least that can notify viewers of one attempt: no Django, no sign-in, no limits; one query, one loop over sockets.

uvicorn benchmarks.bare_stream:application
"""

import asyncio
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402 - after the setup

from setup_wizard.attempts import pubsub  # noqa: E402
from setup_wizard.attempts.models import Attempt  # noqa: E402

HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
viewers: set[asyncio.Queue] = set()
listening: list[asyncio.Task] = []


async def application(scope, _receive, send):
    if scope["type"] != "http":
        return
    if not listening:
        listening.append(asyncio.create_task(_listen()))
    attempt = scope["path"].split("/")[2]
    seq = await sync_to_async(_seq)(attempt)
    news: asyncio.Queue = asyncio.Queue()
    viewers.add(news)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        while True:
            body = b"id: %d\nevent: changed\ndata: %d\n\n" % (seq, seq)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            seq = await news.get()
    finally:
        viewers.discard(news)


def _seq(attempt):
    return Attempt.objects.values_list("last_seq", flat=True).get(pk=attempt)


async def _listen():
    async for attempt in pubsub.subscribe():
        seq = await sync_to_async(_seq)(attempt)
        for news in list(viewers):
            news.put_nowait(seq)
