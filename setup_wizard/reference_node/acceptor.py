"""Accepts connections before their TLS handshake, so that a fault can act on them there."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from setup_wizard.reference_node.faults import Faults
from setup_wizard.reference_node.faults.fault import OnConnect
from setup_wizard.reference_node.files import Journal
from setup_wizard.reference_node.protocol import NodeProtocol, set_reset_on_close

HANDSHAKE_SECONDS = 10
PAUSE_SECONDS = 1.0
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
JOURNAL_WORDS = {
    OnConnect.RESET: "reset",
    OnConnect.NO_TLS: "left without TLS",
    OnConnect.NO_ANSWER: "left without an answer",
}


class Acceptor:
    """Accepts the connections of one node.

    `make_protocol` gets the TLS context of the connection when it is not the node's own.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        faults: Faults,
        journal: Journal,
        make_protocol: Callable[[ssl.SSLContext | None], NodeProtocol],
    ) -> None:
        self._listener = listener
        self._context = context
        self._faults = faults
        self._journal = journal
        self._make_protocol = make_protocol
        self._handshakes: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    def open(self) -> None:
        self._listener.settimeout(0)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Stop accepting, and drop the connections that are not the protocol's yet."""
        asyncio.get_running_loop().remove_reader(self._listener)
        if self._pause is not None:
            self._pause.cancel()
        self._listener.close()
        for handshake in self._handshakes:
            handshake.cancel()

    def _accept(self) -> None:
        while True:
            try:
                connected, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                # the connection stays in the queue; polling it without a free descriptor would use all of the CPU
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._listener)
                self._pause = loop.call_later(PAUSE_SECONDS, self.open)
                return
            connected.settimeout(0)
            self._on_connect(connected, f"{peer[0]}:{peer[1]}")

    def _on_connect(self, connected: socket.socket, peer: str) -> None:
        action, fault = self._faults.on_connect()
        if action is not OnConnect.SERVE:
            self._journal.write({"connection": JOURNAL_WORDS[action], "peer": peer, "fault": fault})
        if action is OnConnect.RESET:
            set_reset_on_close(connected)
            connected.close()
        else:
            handshake = asyncio.get_running_loop().create_task(self._serve(connected, action))
            self._handshakes.add(handshake)
            handshake.add_done_callback(partial(self._forget, connected))

    async def _serve(self, connected: socket.socket, action: OnConnect) -> None:
        context = self._faults.context()

        def make() -> NodeProtocol:
            protocol = self._make_protocol(context)
            protocol.is_ignored = protocol.is_silent = action is not OnConnect.SERVE
            return protocol

        tls = {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": 1}
        loop = asyncio.get_running_loop()
        with suppress(OSError):  # a failed handshake was not a client
            if action is OnConnect.NO_TLS:
                await loop.connect_accepted_socket(make, connected)
            else:
                await loop.connect_accepted_socket(make, connected, ssl=context or self._context, **tls)

    def _forget(self, connected: socket.socket, handshake: asyncio.Task[None]) -> None:
        self._handshakes.discard(handshake)
        if handshake.cancelled():  # before its first step nobody else has the socket
            connected.close()
