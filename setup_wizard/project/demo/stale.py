"""Stop what a runner that was killed left behind, where the system did not: only Linux ends children with a parent.

A process id alone proves nothing, it may be somebody else's by now; with the moment the process was born it does.
"""

import asyncio
import os
import platform
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PATIENCE = 3.0
ENDED = "Z"  # and nobody has asked how


async def describe(pid: int) -> str:
    """Say which process this is, so that `stop_stale` knows it again."""
    return f"{pid}\n{await birth(pid)}\n"


async def stop_stale(notes: Mapping[Path, str]) -> None:
    """Stop every process that is described in these notes and still the same, and remove the notes."""
    for file, note in notes.items():
        pid, _, born = note.strip().partition("\n")
        if pid.isdigit() and born and await birth(int(pid)) == born:
            await _stop(int(pid), born)
        file.unlink(missing_ok=True)


async def birth(pid: int) -> str:
    """Say when this process began, in the system's own words; empty when there is none."""
    if platform.system() == "Linux":
        return _birth_on_linux(pid)
    ps = await asyncio.create_subprocess_exec(
        *("ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await ps.communicate()
    state, _, born = output.decode(errors="replace").strip().partition(" ")
    return "" if state.startswith(ENDED) else born.strip()


def _birth_on_linux(pid: int) -> str:
    try:
        # the program's name is in brackets and may itself hold blanks and brackets
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if words[0] == ENDED else f"{words[19]} {boot}"


async def _stop(pid: int, born: str) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)  # each part leads a group of its own
        for _ in range(int(PATIENCE / 0.05)):
            if await birth(pid) != born:
                return
            await asyncio.sleep(0.05)
