"""One connection to a node: uvicorn's protocol, with what faults and the journal need."""

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from setup_wizard.reference_node.files import Journal

REQUEST_SECONDS = 60.0  # for a complete request


def set_reset_on_close(connected: socket.socket) -> None:
    """Let the system send RST instead of FIN when the socket is closed."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class NodeProtocol(H11Protocol):
    """Serves a connection, can reset it, and writes incomplete requests into the journal.

    `context` is its TLS when that is not the node's own.
    """

    def __init__(
        self, config: Config, server_state: ServerState, journal: Journal, context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state={"connection": self})
        self.peer = ""
        self.context = context
        self.is_ignored = False
        self.is_refused = False
        self.is_silent = False
        self._journal = journal
        self._deadline: asyncio.TimerHandle | None = None
        self._lost = asyncio.Event()
        self._has_sent = False

    @property
    def client_name(self) -> str | None:
        """The common name in the client certificate; None without one."""
        shown = self.transport.get_extra_info("peercert")
        return dict(sum(shown["subject"], ())).get("commonName", "") if shown else None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.peer = f"{self.client[0]}:{self.client[1]}" if self.client else ""
        if not self.is_ignored:
            self._await_request()

    def data_received(self, data: bytes) -> None:
        if self.is_ignored:
            return
        self._has_sent = True
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:  # the request is complete
            self._cancel_deadline()

    def on_response_complete(self) -> None:
        self._await_request()  # before the call below, which may find the next request
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self.is_refused = True
        if self.cycle is None or self.cycle.response_complete:  # a request with a broken body has its own line
            self._note_incomplete(status=400)
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        if not self.is_ignored and not self._has_sent:
            self._journal.write({"connection": "closed without a request", "peer": self.peer})
        elif not self.is_ignored and self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._note_incomplete(status=None)
        super().connection_lost(exc)
        self._lost.set()

    def abort(self) -> None:
        """Close it at once."""
        self.transport.abort()

    def reset(self) -> None:
        """Close it with a TCP reset."""
        set_reset_on_close(cast("socket.socket", self.transport.get_extra_info("socket")))
        self.transport.abort()

    def finish(self) -> None:
        """Close it once everything has been sent."""
        self.transport.close()

    async def write(self, data: bytes) -> bool:
        """Send bytes as fast as the client reads them; returns False when it has closed the connection."""
        if self.transport.is_closing():
            return False
        self.transport.write(data)
        await asyncio.sleep(0)  # a client as fast as this would keep all others waiting
        await self.flow.drain()
        return not self._lost.is_set()

    async def closed_within(self, seconds: float) -> bool:
        """Wait that long, or until it is closed; returns whether it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        return self._lost.is_set()

    async def closed(self) -> None:
        await self._lost.wait()

    async def stay_silent(self) -> None:
        """Keep it open until the client closes it, also when the certificate changes."""
        self.is_silent = True
        await self.closed()

    def _await_request(self) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.finish)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _note_incomplete(self, status: int | None) -> None:
        self._journal.write(
            {"method": None, "path": None, "complete": False, "accepted": False, "status": status, "peer": self.peer}
        )
