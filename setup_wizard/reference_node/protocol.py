"""One connection to a node: uvicorn's, with what a test bench must know and do besides."""

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

from setup_wizard.reference_node.journal import Journal

REQUEST_SECONDS = 60.0  # for the whole of a request, however slowly it comes


class NodeProtocol(H11Protocol):
    """Serves a connection, can reset it, and puts into the journal what never became a request."""

    def __init__(
        self, config: Config, server_state: ServerState, journal: Journal, context: ssl.SSLContext | None = None
    ) -> None:
        """`context` is the TLS that it begins under, when that is not the node's own."""
        super().__init__(config=config, server_state=server_state, app_state={"connection": self})
        self.peer = ""
        self.context = context
        self.is_deaf = False
        self.is_refused = False
        self._journal = journal
        self._deadline: asyncio.TimerHandle | None = None
        self._lost = asyncio.Event()
        self.is_silent = False
        self._has_sent = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin, once TLS stands."""
        super().connection_made(transport)
        self.peer = f"{self.client[0]}:{self.client[1]}" if self.client else ""
        if not self.is_deaf:
            self._await_request()

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        if self.is_deaf:
            return
        self._has_sent = True
        super().data_received(data)

    def handle_events(self) -> None:
        """Go on with what has arrived; once that is a request, it has all the time that its answer takes."""
        super().handle_events()
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._forget_deadline()

    def on_response_complete(self) -> None:
        """Wait for the next request, which may have arrived already."""
        self._await_request()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self.is_refused = True
        # a request whose body goes wrong has its own line
        if self.cycle is None or self.cycle.response_complete:
            self._note_unfinished(status=400)
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._forget_deadline()
        if self.is_deaf:
            pass  # noted when it began
        elif not self._has_sent:
            self._journal.write({"connection": "closed without a request", "peer": self.peer})
        elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._note_unfinished(status=None)
        super().connection_lost(exc)
        self._lost.set()

    def abort(self) -> None:
        """Close it at once, whatever is still to be sent."""
        self.transport.abort()

    def reset(self) -> None:
        """Close it with a TCP reset, so that the client sees no orderly end."""
        # without lingering the system answers with RST instead of FIN
        connected = cast("socket.socket", self.transport.get_extra_info("socket"))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def finish(self) -> None:
        """Close it once everything has been sent."""
        self.transport.close()

    async def write(self, data: bytes) -> bool:
        """Send bytes as they are, at the pace of the other side; False when nobody is there any more."""
        if self.transport.is_closing():
            return False
        self.transport.write(data)
        await asyncio.sleep(0)  # a reader as fast as this writer would otherwise keep everybody else waiting
        await self.flow.drain()
        return not self._lost.is_set()

    async def closed_within(self, seconds: float) -> bool:
        """Wait that long, or until it has ended; say whether it has."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        return self._lost.is_set()

    async def closed(self) -> None:
        """Wait until it has ended."""
        await self._lost.wait()

    async def stay_silent(self) -> None:
        """Keep it open, whatever the node does, until the other side has closed it."""
        self.is_silent = True
        await self.closed()

    def _await_request(self) -> None:
        # who opens a connection and says nothing, or too little, must not hold it for ever
        self._forget_deadline()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.finish)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _note_unfinished(self, status: int | None) -> None:
        """A request whose head never arrived, or was no HTTP."""
        self._journal.write(
            {"method": None, "path": None, "complete": False, "accepted": False, "status": status, "peer": self.peer}
        )
