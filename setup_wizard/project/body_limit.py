"""Take no more of a request than something here could use, before anybody has said who they are.

Django writes the whole of a body to a temporary file before it compares its size with any limit, and with what a
request says of its own length alone nothing is won: it need not say it. Up to `MOST` bytes the limits of the pages and
of the API answer, in their own words; from there on nothing more is read.

Reference: docs/failure-modes.md, W11.
"""

from collections.abc import Mapping
from typing import Any, Final

from setup_wizard.live.stream.threads import Application, Receive, Send

MOST: Final = 2 * 1024 * 1024  # twice what a call of the API may have
WORDS: Final = f"A request can have at most {MOST // 1024} KiB. Nothing was changed.\n".encode()
HEADERS: Final = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(WORDS)).encode()),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
]


def limit_bodies(application: Application) -> Application:
    """Wrap Django's ASGI application so that it is never handed more than `MOST` bytes of a body."""

    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        taken = 0

        async def receive_so_much() -> Mapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # as if the client had gone: Django throws away what it has, and answers nothing
            return message if taken <= MOST else {"type": "http.disconnect"}

        await application(scope, receive_so_much, send)
        if taken > MOST:
            await send({"type": "http.response.start", "status": 413, "headers": HEADERS})
            await send({"type": "http.response.body", "body": WORDS})

    return answer
