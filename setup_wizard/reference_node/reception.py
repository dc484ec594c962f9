"""Where connections are accepted: before TLS, so that a fault may meet them there."""

import asyncio
import errno
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from setup_wizard.reference_node.faults import Faults
from setup_wizard.reference_node.faults.fault import Greeting
from setup_wizard.reference_node.journal import Journal
from setup_wizard.reference_node.protocol import NodeProtocol

HANDSHAKE_SECONDS = 10
PAUSE_SECONDS = 1.0
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
WORDS = {
    Greeting.RESET: "reset",
    Greeting.NO_TLS: "left without TLS",
    Greeting.NO_ANSWER: "left without an answer",
}


class Reception:
    """Accepts the connections of one node.

    `make_protocol` gets the TLS context that a connection begins under when it is not the node's own.
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
        self._ignored: set[socket.socket] = set()
        self._pause: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Accept from now on."""
        self._listener.settimeout(0)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Accept no more, and drop what has not become a connection of the node's."""
        asyncio.get_running_loop().remove_reader(self._listener)
        if self._pause is not None:
            self._pause.cancel()
        self._listener.close()
        for handshake in self._handshakes:
            handshake.cancel()
        for connected in tuple(self._ignored):
            self._drop(connected)

    def _accept(self) -> None:
        while True:
            try:
                connected, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                # there is no descriptor left; the connection waits, and so do we, instead of asking without end
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._listener)
                self._pause = loop.call_later(PAUSE_SECONDS, self.open)
                return
            connected.settimeout(0)
            self._greet(connected, f"{peer[0]}:{peer[1]}")

    def _greet(self, connected: socket.socket, peer: str) -> None:
        greeting, fault = self._faults.greet()
        if greeting is not Greeting.WELCOME:
            self._journal.write({"connection": WORDS[greeting], "peer": peer, "fault": fault})
        if greeting is Greeting.RESET:
            # without lingering the system answers with RST instead of FIN
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connected.close()
        elif greeting is Greeting.NO_TLS:
            self._ignored.add(connected)
            asyncio.get_running_loop().add_reader(connected, self._ignore, connected)
        else:
            is_deaf = greeting is Greeting.NO_ANSWER
            handshake = asyncio.get_running_loop().create_task(self._welcome(connected, is_deaf=is_deaf))
            self._handshakes.add(handshake)
            handshake.add_done_callback(partial(self._forget, connected))

    async def _welcome(self, connected: socket.socket, *, is_deaf: bool) -> None:
        context = self._faults.context()

        def begin() -> NodeProtocol:
            protocol = self._make_protocol(context)
            protocol.is_deaf = is_deaf
            return protocol

        # whoever breaks the handshake off, or speaks no TLS, was no client
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                begin,
                connected,
                ssl=context or self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=1,
            )

    def _forget(self, connected: socket.socket, handshake: asyncio.Task[None]) -> None:
        self._handshakes.discard(handshake)
        # one that was cancelled before its first step has given the connection to nobody
        if handshake.cancelled():
            connected.close()

    def _ignore(self, connected: socket.socket) -> None:
        try:
            data = connected.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connected)

    def _drop(self, connected: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connected)
        self._ignored.discard(connected)
        connected.close()
