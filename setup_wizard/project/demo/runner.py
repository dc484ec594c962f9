"""Start the parts, start them again when they end, and stop them all."""

import asyncio
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from setup_wizard.project.demo import stale, tether
from setup_wizard.project.demo.directory import CLONE, Directory
from setup_wizard.project.demo.errors import CannotStartError

PAUSES = (0, 1, 2, 4, 8, 10)
STEADY_SECONDS = 30.0
PATIENCE_SECONDS = 7.0
LAST_PATIENCE_SECONDS = 2.0
TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the demo, and all that it is told."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    stops_last: bool = False  # others talk to it while they stop


@dataclass(slots=True)
class _Run:
    """One part that is kept running."""

    part: Part
    process: asyncio.subprocess.Process
    task: asyncio.Task[None] | None = None
    deaths: int = 0
    ends: asyncio.Event = field(default_factory=asyncio.Event)  # this part alone is not to be started again


class Runner:
    """Keeps parts running until it is told to stop."""

    def __init__(self, directory: Directory, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._directory = directory
        self._say = say
        self._changed = changed
        self._runs: dict[str, _Run] = {}
        self._stopping = asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        return {name: run.process.pid for name, run in self._runs.items()}

    def deaths(self, name: str) -> int:
        """Count how often in a row this part ended soon after it had begun."""
        return self._runs[name].deaths

    async def start(self, part: Part) -> None:
        run = _Run(part, await self._spawn(part))
        self._runs[part.name] = run
        run.task = asyncio.create_task(self._keep(run))

    async def run(self, part: Part) -> str:
        """Run a program to its end and return what it printed.

        Raises:
            CannotStartError: it ended with an error; the message has the end of its log.
        """
        process = await self._spawn(part, stdout=asyncio.subprocess.PIPE)
        try:
            output, _ = await process.communicate()
        finally:
            _signal(process, signal.SIGKILL)  # cancelled half-way: nothing of it may stay
            await process.wait()
        if process.returncode:
            raise CannotStartError(f"{part.name} {_how_it_ended(process.returncode)}.\n{self.tail(part.name)}")
        return output.decode()

    async def stop(self) -> None:
        """Stop every part: first those that talk to others, then those that they talk to."""
        self._stopping.set()
        for last, patience in ((False, PATIENCE_SECONDS), (True, LAST_PATIENCE_SECONDS)):
            runs = {run.task: run for run in self._runs.values() if run.task and run.part.stops_last is last}
            for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, LAST_PATIENCE_SECONDS)):
                late = [task for task in runs if not task.done()]
                for task in late:
                    _signal(runs[task].process, number)
                if late:
                    await asyncio.wait(late, timeout=seconds)

    async def end(self, name: str) -> None:
        """Stop one part for good; what it kept is free to be changed then."""
        run = self._runs.pop(name)
        run.ends.set()
        task = run.task
        for number, seconds in ((signal.SIGTERM, PATIENCE_SECONDS), (signal.SIGKILL, LAST_PATIENCE_SECONDS)):
            if task and not task.done():
                _signal(run.process, number)
                await asyncio.wait([task], timeout=seconds)

    def hurry(self) -> None:
        """Wait no longer for parts that take their time to stop."""
        for run in self._runs.values():
            if run.process.returncode is None:
                _signal(run.process, signal.SIGKILL)

    def tail(self, name: str) -> str:
        """Give the end of a part's log, and where the rest is."""
        log = self._directory.log(name)
        lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([*(f"  {line}" for line in lines), f"All of it is in {self._shown(log)}."])

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path, CLONE)

    async def _spawn(self, part: Part, *, stdout: int | None = None) -> asyncio.subprocess.Process:
        with self._directory.log(part.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *_tethered(part.arguments),
                cwd=CLONE,
                env=dict(part.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the runner alone, which then stops the parts in order
            )

    async def _keep(self, run: _Run) -> None:
        while True:
            began = time.monotonic()
            how = await self._watch(run)
            run.deaths = 1 if time.monotonic() - began > STEADY_SECONDS else run.deaths + 1
            while not await self._pause(run, how):
                try:
                    run.process = await self._spawn(run.part)
                    break
                except OSError as error:  # no memory, no space: it may come back
                    how = f"could not be started: {error}"
                    run.deaths += 1
            else:
                return

    async def _watch(self, run: _Run) -> str:
        note = self._directory.note(run.part.name)
        with suppress(OSError):  # a full disk must not end the watch
            note.write_text(await stale.describe(run.process.pid))
            self._changed()
        if self._stopping.is_set() or run.ends.is_set():  # it was started while the others were told to stop
            _signal(run.process, signal.SIGTERM)
        code = await run.process.wait()
        _signal(run.process, signal.SIGKILL)  # what it may have started itself
        note.unlink(missing_ok=True)
        return _how_it_ended(code)

    async def _pause(self, run: _Run, how: str) -> bool:
        """Wait before the next start; true when there is to be none."""
        if self._stopping.is_set() or run.ends.is_set():
            return True
        seconds = PAUSES[min(run.deaths, len(PAUSES)) - 1]
        when = f"in {seconds} s" if seconds else "now"
        log = self._shown(self._directory.log(run.part.name))
        self._say(f"{run.part.name} {how}; starting it again {when} ({log})")
        waits = [asyncio.ensure_future(each.wait()) for each in (self._stopping, run.ends)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return self._stopping.is_set() or run.ends.is_set()


def _tethered(arguments: tuple[str, ...]) -> tuple[str, ...]:
    if platform.system() != "Linux":
        return arguments
    return (sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *arguments)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # each part leads a group of its own; on macOS a group of nobody but a zombie answers EPERM
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _how_it_ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
