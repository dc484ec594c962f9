"""Helpers for tests that start processes: waiting, ending, free ports."""

import os
import random
import signal
import socket
import time
from pathlib import Path


def is_running(pid):
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"  # a zombie has ended


def wait_until(condition, seconds=20):
    """Poll, less often the longer it takes: the process that a test waits for needs the processor too."""
    begun = time.monotonic()
    while not (found := condition()):
        waited = time.monotonic() - begun
        assert waited < seconds, f"waited {seconds} s"
        time.sleep(min(max(0.02, waited / 50), 0.2))
    return found


def end(pid):
    if is_running(pid):
        os.kill(pid, signal.SIGKILL)


def free_port():
    """A free port below those that the system assigns, so that no other process gets it."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as listener:
            if listener.connect_ex(("127.0.0.1", port)) != 0:
                return port
