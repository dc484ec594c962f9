"""Keep threads and database connections few, however many streams are open.

Django gives every request a thread for what is not asynchronous, from its arrival to its end. An open stream would
keep one for minutes, with a database connection each: 1,000 viewers, 1,000 threads. What a stream needs of it, session
and user, is over before the first line goes out; so all stream requests share a few threads.

Reference: docs/failure-modes.md, D10.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any, TypeAlias

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

THREADS = 4
STREAM = re.compile(r"/attempts/[0-9a-f-]{36}/stream$")

Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


def share_threads(application: ASGIHandler) -> Application:
    """Wrap Django's ASGI application so that its stream requests share a few threads."""
    # one call at a time in each, because that is what Django counts on
    shared = cycle([ThreadPoolExecutor(1, thread_name_prefix=f"door-{number}") for number in range(THREADS)])

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not STREAM.search(scope["path"]):
            await application(scope, receive, send)
            return
        async with ThreadSensitiveContext(executor=next(shared)):
            await application(scope, receive, send)

    return answer
