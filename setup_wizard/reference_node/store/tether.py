"""Become a server that ends when its node does, even when the node is killed.

`python tether.py <node's pid> <program> <argument> …`. It is run as a script, by itself, so it imports nothing of ours.

Reference: prctl(2), PR_SET_PDEATHSIG: it outlives execve, and counts from the end of the thread that started us.
"""

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.2


def become(keeper: int, command: list[str]) -> None:
    """Be the server from now on; the system kills it with its keeper."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != keeper:  # it was killed before we asked
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


def watch(keeper: int, command: list[str]) -> int:
    """Run the server beside us and kill it when the keeper is gone, where the system cannot; returns its exit code."""
    with subprocess.Popen(command) as server:  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        while os.getppid() == keeper:
            try:
                return server.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        server.kill()
    return 1


if __name__ == "__main__":
    parent, server_command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        become(parent, server_command)
    else:
        sys.exit(watch(parent, server_command))
