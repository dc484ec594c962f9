"""Limit the size of request bodies before Django reads them.

Django writes a whole body to a temporary file before it checks any limit, and a client need not send Content-Length.
Up to `MAX_BYTES` the limits of pages and API apply, with their own messages; beyond that, nothing more is read.
"""

from collections.abc import Mapping
from typing import Any, Final

from setup_wizard.live.stream.threads import Application, Receive, Send

MAX_BYTES: Final = 2 * 1024 * 1024  # twice the limit of the API
MESSAGE: Final = f"A request can have at most {MAX_BYTES // 1024} KiB. Nothing was changed.\n".encode()
HEADERS: Final = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", str(len(MESSAGE)).encode()),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
]


def limit_bodies(application: Application) -> Application:
    """Wrap an ASGI application so that it receives at most `MAX_BYTES` of a body."""

    async def limited(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        received = 0

        async def receive_within_limit() -> Mapping[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            # Django takes this for a client that is gone, and sends no response
            return message if received <= MAX_BYTES else {"type": "http.disconnect"}

        await application(scope, receive_within_limit, send)
        if received > MAX_BYTES:
            await send({"type": "http.response.start", "status": 413, "headers": HEADERS})
            await send({"type": "http.response.body", "body": MESSAGE})

    return limited
