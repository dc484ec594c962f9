"""Sockets, TLS and the loop: what makes a node answer."""

import asyncio
import errno
import fcntl
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uvicorn.config import Config
from uvicorn.server import ServerState

from setup_wizard.reference_node.api import Api
from setup_wizard.reference_node.certificates import server_context
from setup_wizard.reference_node.errors import CannotListen
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.protocol import NodeProtocol
from setup_wizard.reference_node.reception import Reception

KEEP_ALIVE_SECONDS = 60


def open_socket(bind: str, port: int) -> socket.socket:
    """Take a port (0: any that is free); raises CannotListen."""
    version = ipaddress.ip_address(bind).version
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    # named in full: asyncio sends at once only what it knows to be TCP, and an answer in two parts would wait 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bind, port))
        # now, not later: two sockets may be bound to a port, but only one may listen
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(f"Port {port} of {bind} is taken. Choose another with --port.") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise CannotListen(f"{bind} is not an address of this machine. Choose another with --bind.") from None
        reason = os.strerror(error.errno or 0).lower()
        raise CannotListen(f"Port {port} of {bind} cannot be opened: {reason}.") from None
    return listener


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a directory for one node alone, until the end even of a killed process; raises CannotListen."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotListen(f"{directory} cannot be used: {os.strerror(error.errno or 0).lower()}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise CannotListen(f"{directory} belongs to a node that is running. Choose another with --data.") from None
    try:
        yield
    finally:
        os.close(descriptor)


class Server:
    """One node on one socket; many of them can share a loop."""

    def __init__(self, node: Node, listener: socket.socket) -> None:
        self.node = node
        self.node.port = listener.getsockname()[1]
        self._state = ServerState()
        self._context = server_context(node.certificate_path)
        self._config = Config(
            Api(node),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._reception = Reception(listener, self._context, node.faults, node.journal, self._make_protocol)

    @property
    def address(self) -> str:
        """Host and port, with the brackets that IPv6 needs."""
        host = f"[{self.node.bind}]" if ":" in self.node.bind else self.node.bind
        return f"{host}:{self.node.port}"

    async def start(self) -> None:
        """Answer from now on."""
        self._config.load()
        self.node.when_certificate_changes = self._change_certificate
        self._reception.open()
        self.node.start()

    async def stop(self) -> None:
        """Stop at once, open connections too."""
        self._reception.close()
        for connection in self._connections():
            connection.abort()
            await connection.closed()
        # an answer that waited for that end is told of it first, and so ends by itself
        await asyncio.sleep(0)
        for task in self._state.tasks:
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        await self.node.stop()

    def _make_protocol(self, context: ssl.SSLContext | None) -> NodeProtocol:
        return NodeProtocol(self._config, self._state, self.node.journal, context)

    def _change_certificate(self) -> None:
        self._context.load_cert_chain(self.node.certificate_path)
        # as on a real node, whose services restart here: nobody keeps a connection that began under the old one
        for connection in self._connections():
            if not connection.is_silent:
                connection.abort()

    def _connections(self) -> list[NodeProtocol]:
        return [connection for connection in self._state.connections if isinstance(connection, NodeProtocol)]


@contextmanager
def background(node: Node, port: int = 0) -> Iterator[Server]:
    """Run a node in a thread of its own, for tests in the same process."""
    server = Server(node, open_socket(node.bind, port))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever, name=f"node {server.address}", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        # who was still shaking hands is let go, as asyncio.run does at its end
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
