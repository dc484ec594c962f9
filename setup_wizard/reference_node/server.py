"""Sockets and TLS: what makes a node answer."""

import asyncio
import errno
import ipaddress
import os
import socket
import ssl

from uvicorn.config import Config
from uvicorn.server import ServerState

from setup_wizard.reference_node.acceptor import Acceptor
from setup_wizard.reference_node.api import Api
from setup_wizard.reference_node.certificates import server_context
from setup_wizard.reference_node.errors import CannotStart
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.protocol import NodeProtocol

KEEP_ALIVE_SECONDS = 60


def open_socket(bind: str, port: int, option: str = "--port") -> socket.socket:
    """Listen on a port (0: any that is free); raises CannotStart, which names the command line option."""
    version = ipaddress.ip_address(bind).version
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    # with the protocol: asyncio turns Nagle's algorithm off only for sockets that say that they are TCP
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bind, port))
        # now: two sockets can be bound to a port, but only one can listen
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {port} of {bind} is taken. Choose another with {option}.") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise CannotStart(f"{bind} is not an address of this machine. Choose another with --bind.") from None
        reason = os.strerror(error.errno or 0).lower()
        raise CannotStart(f"Port {port} of {bind} cannot be opened: {reason}.") from None
    return listener


class Server:
    """One node on one socket; many of them can share an event loop."""

    def __init__(self, node: Node, listener: socket.socket) -> None:
        self.node = node
        self.node.port = listener.getsockname()[1]
        self._state = ServerState()
        self._context = server_context(node.certificate_path, node.traits.client_ca, self._note_refused)
        self._config = Config(
            Api(node),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._acceptor = Acceptor(listener, self._context, node.faults, node.journal, self._make_protocol)

    @property
    def address(self) -> str:
        """Host and port, with the brackets that IPv6 needs."""
        host = f"[{self.node.bind}]" if ":" in self.node.bind else self.node.bind
        return f"{host}:{self.node.port}"

    async def start(self) -> None:
        self._config.load()
        self.node.when_certificate_changes = self._change_certificate
        self._acceptor.open()
        self.node.start()

    async def stop(self) -> None:
        """Stop at once, and close open connections."""
        self._acceptor.close()
        for connection in self._connections():
            connection.abort()
            await connection.closed()
        await asyncio.sleep(0)  # answers that waited for that end now
        for task in self._state.tasks:
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        await self.node.stop()

    def _make_protocol(self, context: ssl.SSLContext | None) -> NodeProtocol:
        return NodeProtocol(self._config, self._state, self.node.journal, context)

    def _note_refused(self) -> None:
        self.node.journal.write({"connection": "client certificate refused"})

    def _change_certificate(self) -> None:
        self._context.load_cert_chain(self.node.certificate_path)
        # as on a real node, whose services restart here, no older connection stays open
        for connection in self._connections():
            if not connection.is_silent:
                connection.abort()

    def _connections(self) -> list[NodeProtocol]:
        return [connection for connection in self._state.connections if isinstance(connection, NodeProtocol)]
