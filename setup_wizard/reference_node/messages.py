"""A request as it arrived, and the answer with the way in which it is sent."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from setup_wizard.reference_node.protocol import NodeProtocol

BOOTSTRAP_PATH = "/v1/bootstrap"
VALIDATION_PATH = f"{BOOTSTRAP_PATH}/validate/"
Send = Callable[[Any], Awaitable[None]]


@dataclass
class Request:
    """One request. `body` is None when it did not arrive completely.

    `user` is the user name of its sign-in, `locked` whether that account was locked.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    connection: "NodeProtocol"
    too_long: bool = False
    signed_in: bool = False
    user: str | None = None
    locked: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        return self.method in {"GET", "HEAD"}

    @property
    def asks_for_bootstrap(self) -> bool:
        below = self.method == "POST" and self.path.startswith(f"{BOOTSTRAP_PATH}/")
        return below and not self.asks_for_validation

    @property
    def asks_for_validation(self) -> bool:
        return self.method == "POST" and self.path.startswith(VALIDATION_PATH)

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass(frozen=True)
class Answer:
    """The answer to a request. `status` is None when no status code is sent; `accepted` when a bootstrap began."""

    status: int | None
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = False
    fault: str | None = None
    deliver: Callable[["Answer", Request, Send], Awaitable[None]] | None = None

    def replaced(self, **changes: Any) -> Self:
        return replace(self, **changes)

    async def send(self, request: Request, send: Send) -> None:
        await (self.deliver or send_answer)(self, request, send)


def document_answer(document: object, status: int = 200) -> Answer:
    """Answer with JSON, without blanks as real nodes write it."""
    return Answer(status, json.dumps(document, separators=(",", ":")).encode())


def refusal(status: int, code: str, description: str, **headers: str) -> Answer:
    """Answer with an error; header names are written with underscores."""
    answer = document_answer({"error_code": code, "description": description}, status)
    return answer.replaced(headers={name.replace("_", "-"): value for name, value in headers.items()})


def refuse_sign_in() -> Answer:
    """Answer to a request whose sign-in is missing or wrong."""
    text = "Sign in as the cluster's administrator."
    return refusal(401, "unauthorized", text, www_authenticate='Basic realm="cluster"')


async def send_answer(answer: Answer, _request: Request | None, send: Send) -> None:
    """Send a complete answer."""
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in write_headers(answer).items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})


def write_headers(answer: Answer) -> dict[str, str]:
    """The headers of a complete answer."""
    headers = {"date": formatdate(usegmt=True), "content-length": str(len(answer.body)), **answer.headers}
    return {**headers, "content-type": answer.content_type} if answer.body else headers


def write_answer(answer: Answer) -> bytes:
    """A complete answer as it is on the wire."""
    headers = (f"{name}: {value}" for name, value in write_headers(answer).items())
    return "\r\n".join([f"HTTP/1.1 {answer.status} Written", *headers, "", ""]).encode("latin-1") + answer.body


async def reset_connection(_answer: Answer, request: Request, _send: Send) -> None:
    """Send nothing and reset the connection."""
    request.connection.reset()
    await request.connection.closed()


async def answer_nothing(_answer: Answer, request: Request, _send: Send) -> None:
    """Send nothing and leave the connection open until the client closes it."""
    await request.connection.stay_silent()


async def cut_status_line(_answer: Answer, request: Request, _send: Send) -> None:
    """Send the beginning of a status line and close, as a node that is killed meanwhile."""
    await request.connection.write(b"HTTP/1.1 2")
    request.connection.finish()
    await request.connection.closed()
