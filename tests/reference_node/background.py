"""Reference nodes inside the process of a test: `background`."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import Server, open_socket


@contextmanager
def background(node: Node, port: int = 0) -> Iterator[Server]:
    """Run a node in its own thread."""
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
        if left := asyncio.all_tasks(loop):  # handshakes that are not complete
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
