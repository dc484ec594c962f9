import asyncio
import gc
import socket
import warnings

from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import Server, open_socket


def test_a_connection_accepted_during_the_stop_is_closed(tmp_path):
    node = Node(tmp_path)
    server = Server(node, open_socket(node.bind, 0))
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with socket.create_connection((node.bind, node.port), timeout=10) as client:
            # one turn of the loop accepts it, the next one stops: before its handshake has had a first step
            loop.call_soon(lambda: loop.create_task(server.stop()).add_done_callback(lambda _: loop.stop()))
            loop.run_forever()
            assert client.recv(1) == b""
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        gc.collect()

    assert [str(warning.message) for warning in warned] == []
