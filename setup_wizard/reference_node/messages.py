"""A request as it arrived, and the answer to it with the way in which it leaves."""

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, Protocol, Self

BOOTSTRAP_PATH = "/v1/bootstrap"
VALIDATION_PATH = f"{BOOTSTRAP_PATH}/validate/"
Send = Callable[[Any], Awaitable[None]]


class Connection(Protocol):
    """What an answer may do to the connection that it was asked for on."""

    peer: str
    context: ssl.SSLContext | None
    is_refused: bool

    def reset(self) -> None:
        """Cut it with a reset."""

    def finish(self) -> None:
        """Close it once everything has been sent."""

    async def write(self, data: bytes) -> bool:
        """Send bytes as they are, at the pace of the other side; False when nobody is there any more."""

    async def closed(self) -> None:
        """Wait until it has ended."""

    async def closed_within(self, seconds: float) -> bool:
        """Wait that long, or until it has ended; say whether it has."""

    async def stay_silent(self) -> None:
        """Keep it open, whatever the node does, until the other side has closed it."""


@dataclass
class Request:
    """One request; `body` is None when it never arrived completely.

    `user` is the name of its Basic sign-in, `locked` whether that account was locked when it came.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    connection: Connection
    too_long: bool = False
    signed_in: bool = False
    user: str | None = None
    locked: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        """Whether this is a GET, or the HEAD that asks for the same without its body."""
        return self.method in {"GET", "HEAD"}

    @property
    def asks_for_bootstrap(self) -> bool:
        """Whether this is a POST of a bootstrap."""
        below = self.method == "POST" and self.path.startswith(f"{BOOTSTRAP_PATH}/")
        return below and not self.asks_for_validation

    @property
    def asks_for_validation(self) -> bool:
        """Whether this is a POST of a bootstrap that is to be looked at only."""
        return self.method == "POST" and self.path.startswith(VALIDATION_PATH)

    @property
    def authorization(self) -> str:
        """The header with the credentials; "" when there is none."""
        return self.headers.get("authorization", "")


@dataclass(frozen=True)
class Answer:
    """What a request gets. `status` is None when no status leaves the node; `accepted` when a bootstrap began."""

    status: int | None
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = False
    fault: str | None = None
    deliver: Callable[["Answer", Request, Send], Awaitable[None]] | None = None

    def replaced(self, **changes: Any) -> Self:
        """The same answer with changes."""
        return replace(self, **changes)

    async def leave(self, request: Request, send: Send) -> None:
        """Send it in its own way."""
        await (self.deliver or send_answer)(self, request, send)


def write_json(document: object) -> bytes:
    """Write a document as real nodes do: without blanks."""
    return json.dumps(document, separators=(",", ":")).encode()


def document_answer(document: object, status: int = 200) -> Answer:
    """Answer with JSON."""
    return Answer(status, write_json(document))


def refusal(status: int, code: str, description: str, **headers: str) -> Answer:
    """Answer with an error, in the form of nodes; header names are written with underscores."""
    body = write_json({"error_code": code, "description": description})
    return Answer(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def send_answer(answer: Answer, _request: Request, send: Send) -> None:
    """Send the answer whole."""
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in write_headers(answer).items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})


def write_headers(answer: Answer) -> dict[str, str]:
    """Write the headers of an answer that is sent whole."""
    headers = {"date": formatdate(usegmt=True), "content-length": str(len(answer.body)), **answer.headers}
    return {**headers, "content-type": answer.content_type} if answer.body else headers


def write_answer(answer: Answer) -> bytes:
    """Write an answer as the bytes that go over the wire."""
    lines = [
        f"HTTP/1.1 {answer.status} Written",
        *(f"{name}: {value}" for name, value in write_headers(answer).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


async def reset_connection(_answer: Answer, request: Request, _send: Send) -> None:
    """Send nothing and reset the connection."""
    request.connection.reset()
    await request.connection.closed()


async def answer_nothing(_answer: Answer, request: Request, _send: Send) -> None:
    """Send nothing and leave the connection open until the client gives up."""
    await request.connection.stay_silent()


async def cut_status_line(_answer: Answer, request: Request, _send: Send) -> None:
    """Send the beginning of a status line and close, as a node does that is killed in the middle."""
    await request.connection.write(b"HTTP/1.1 2")
    request.connection.finish()
    await request.connection.closed()
