"""Let stream requests share a few threads, however many streams are open.

Django gives every request a thread for its synchronous code, until the response ends. An open stream would keep one for
minutes, each with a database connection: 1,000 viewers, 1,000 threads. A stream needs session and user only before its
first message, so all stream requests share a few threads.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any, TypeAlias

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

THREADS = 4
STREAM = re.compile(r"(/attempts/[0-9a-f-]{36})?/stream$")

Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


def share_threads(application: ASGIHandler) -> Application:
    """Wrap Django's ASGI application so that its stream requests share a few threads."""
    # each runs one call at a time, as Django expects
    shared = cycle([ThreadPoolExecutor(1, thread_name_prefix=f"stream-request-{number}") for number in range(THREADS)])

    async def run(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not STREAM.search(scope["path"]):
            await application(scope, receive, send)
            return
        async with ThreadSensitiveContext(executor=next(shared)):
            await application(scope, receive, send)

    return run
