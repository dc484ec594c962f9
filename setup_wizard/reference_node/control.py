"""The control port, for tests of a client: change faults, read the journal and the description of the API.

Plain HTTP without a sign-in, on a loopback address only. It answers only requests that name it by a loopback address,
so that a web page cannot reach it by another name.

    GET, PUT, DELETE  /_control/faults        a JSON list of faults, as ``--fault`` takes them
    GET               /_control/journal       the journal
    GET               /_control/openapi.yaml  the description of the node's API

Several nodes in one process are numbered: ``/_control/1/faults``, ``/_control/2/journal``.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from setup_wizard.reference_node.errors import CannotStart, Malformed
from setup_wizard.reference_node.faults import Fault, parse_fault
from setup_wizard.reference_node.messages import Answer, Send, document_answer, refusal, send_answer
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.schema import read_description, read_json
from setup_wizard.reference_node.server import open_socket

BODY_LIMIT = 64 * 1024
PATH = re.compile(r"/_control/(?:([1-9][0-9]{0,8})/)?(faults|journal)")
DESCRIPTION_PATH = "/_control/openapi.yaml"


def open_control_socket(bind: str, port: int) -> socket.socket:
    """Listen on the port (0: any that is free); raises CannotStart, also when it is not a loopback address."""
    if not ipaddress.ip_address(bind).is_loopback:
        raise CannotStart(f"{bind} is not a loopback address: the control port is for this machine alone.")
    return open_socket(bind, port, "--control")


class Control:
    """The control port of the nodes of one process."""

    def __init__(self, nodes: Sequence[Node], listener: socket.socket) -> None:
        self._nodes = nodes
        self._listener = listener
        self._state = ServerState()
        self._config = Config(self, http="h11", ws="none", lifespan="off", log_config=None, log_level="error")
        self._server: asyncio.Server | None = None
        host, port = listener.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def start(self) -> None:
        self._config.load()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: H11Protocol(self._config, self._state, {}), sock=self._listener
        )

    async def stop(self) -> None:
        """Stop at once, and close open connections."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _read_body(receive)
        answer = refusal(403, "forbidden", "Name this port by its loopback address, and send application/json.")
        if _is_local(headers.get("host", "")) and (scope["method"] != "PUT" or _is_json(headers)):
            answer = self._respond(scope["method"], scope["path"], body)
        await send_answer(answer, None, send)

    def _respond(self, method: str, path: str, body: bytes) -> Answer:
        matched = PATH.fullmatch(path)
        node = self._find(matched[1]) if matched else None
        if matched is not None and node is not None and matched[2] == "faults":
            return _change_faults(node, method, body)
        if node is not None:
            answer = Answer(200, node.journal.path.read_bytes(), "application/jsonl")
        elif path == DESCRIPTION_PATH:
            answer = Answer(200, read_description(), "application/yaml")
        else:
            return refusal(404, "not_found", f"There is nothing at {path[:200]}.")
        return answer if method == "GET" else refusal(405, "method_not_allowed", "Use GET.", allow="GET")

    def _find(self, number: str | None) -> Node | None:
        if number is None:
            return self._nodes[0] if len(self._nodes) == 1 else None
        return self._nodes[int(number) - 1] if int(number) <= len(self._nodes) else None


def read_faults(body: bytes) -> list[Fault]:
    """Read a JSON list of faults; raises ValueError."""
    try:
        document = read_json(body)
    except Malformed as error:
        raise ValueError(str(error)) from None
    if not isinstance(document, list) or not all(isinstance(entry, str) for entry in document):
        raise ValueError("A JSON list of faults is needed, each a string as --fault takes it.")
    return [parse_fault(entry) for entry in document]


def _change_faults(node: Node, method: str, body: bytes) -> Answer:
    if method not in {"GET", "PUT", "DELETE"}:
        return refusal(405, "method_not_allowed", "Use GET, PUT or DELETE.", allow="GET, PUT, DELETE")
    if method != "GET":
        try:
            node.faults.put(read_faults(body) if method == "PUT" else ())
        except ValueError as error:
            return refusal(400, "config_error", str(error))
    return document_answer([fault.text for fault in node.faults])


async def _read_body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    body = b""
    while True:
        message = await receive()
        piece: bytes = message.get("body", b"")
        body = (body + piece)[:BODY_LIMIT]  # a longer one is cut, and then not JSON
        if not message.get("more_body"):
            return body


def _is_local(host: str) -> bool:
    name = re.sub(r":[0-9]*$", "", host).strip("[]")
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_json(headers: dict[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
