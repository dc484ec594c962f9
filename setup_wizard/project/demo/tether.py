"""Become another program that ends when its runner does, even when the runner is killed.

`python tether.py <runner's pid> <program> <argument> …`, on Linux. It is run as a script, by itself, so it imports
nothing of ours.

Reference: prctl(2), PR_SET_PDEATHSIG: it outlives execve, and counts from the end of the thread that started us.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie(runner: int) -> None:
    """Ask the system to kill this process with its runner."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != runner:  # it was killed before we asked
        sys.exit(1)


if __name__ == "__main__":
    tie(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming another program is what this script is for
