"""Run a program that ends when its parent does, even when the parent is killed.

`python exit_with_parent.py <parent's pid> <program> <argument> …`, on Linux. It runs as a script, so it imports nothing
of ours.

Reference: prctl(2), PR_SET_PDEATHSIG: it survives execve, and applies to the thread that started this process.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def exit_with(parent: int) -> None:
    """Have the system kill this process when its parent ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # the parent ended before the call
        sys.exit(1)


if __name__ == "__main__":
    exit_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming another program is the purpose of this script
