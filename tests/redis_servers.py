"""Redis servers as the demo starts its own, each for one test."""

import os
import subprocess
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from setup_wizard.project.demo.broker import find_server, server_arguments
from tests.project.processes import wait_until


def start_redis(directory, socket):
    """Start a server that listens on the socket; gives its process."""
    command = server_arguments(find_server(os.environ), socket, directory)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: socket.exists() or process.poll() is not None)
    return process


@contextmanager
def running_redis(directory=None):
    """Run a server; gives its URL. The path of a socket has a limited length."""
    with nullcontext(directory) if directory else TemporaryDirectory(prefix="redis-") as name:
        socket = Path(name) / "redis.sock"
        process = start_redis(socket.parent, socket)
        try:
            yield f"unix://{socket}?db=0"
        finally:
            process.kill()
            process.wait()
