"""Stop programs that a killed launcher left running; only Linux ends them with their parent.

A process ID alone is not enough, because the system reuses it. Together with the start time it names one process.
"""

import asyncio
import os
import platform
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 3.0
POLL_SECONDS = 0.05
ZOMBIE = "Z"


async def describe(pid: int) -> str:
    """Return the content of a PID file, by which `stop_leftovers` recognizes the process."""
    return f"{pid}\n{await start_time(pid)}\n"


async def stop_leftovers(pid_files: Iterable[Path]) -> None:
    """Stop every process that still is the one in its PID file, and delete the files."""
    for file in pid_files:
        pid, _, started = file.read_text().strip().partition("\n")
        if pid.isdigit() and started and await start_time(int(pid)) == started:
            await _stop(int(pid), started)
        file.unlink(missing_ok=True)


async def start_time(pid: int) -> str:
    """Return when the process started, as the system writes it; empty when it does not run."""
    if platform.system() == "Linux":
        return _start_time_on_linux(pid)
    ps = await asyncio.create_subprocess_exec(
        *("ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await ps.communicate()
    state, _, started = output.decode(errors="replace").strip().partition(" ")
    return "" if state.startswith(ZOMBIE) else started.strip()


def _start_time_on_linux(pid: int) -> str:
    try:
        # the program's name is in brackets, and can contain spaces and brackets itself
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if words[0] == ZOMBIE else f"{words[19]} {boot}"


async def _stop(pid: int, started: str) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)  # each program leads its own process group
        for _ in range(int(STOP_SECONDS / POLL_SECONDS)):
            if await start_time(pid) != started:
                return
            await asyncio.sleep(POLL_SECONDS)
