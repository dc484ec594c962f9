"""Start programs, restart them when they end, and stop them all."""

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

from setup_wizard.project.demo import exit_with_parent, leftovers
from setup_wizard.project.demo.directory import REPOSITORY, Directory
from setup_wizard.project.demo.errors import CannotStartError

RESTART_DELAYS = (0, 1, 2, 4, 8, 10)
STABLE_SECONDS = 30.0
STOP_SECONDS = 7.0
LAST_STOP_SECONDS = 2.0
KILL_SECONDS = 2.0
LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the demo, with its arguments and its whole environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    stops_last: bool = False  # others use it while they stop


@dataclass(slots=True)
class _Run:
    """A program and its current process."""

    program: Program
    process: asyncio.subprocess.Process
    task: asyncio.Task[None] | None = None
    exits_in_a_row: int = 0  # a run of 30 s begins again at 1
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class Runner:
    """Keeps programs running until `stop`."""

    def __init__(self, directory: Directory, say: Callable[[str], None], on_change: Callable[[], None]) -> None:
        self._directory = directory
        self._say = say
        self._on_change = on_change
        self._runs: dict[str, _Run] = {}
        self._stopping = asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        return {name: run.process.pid for name, run in self._runs.items()}

    def exits_in_a_row(self, name: str) -> int:
        """Count how often in a row a program ended; a run of 30 s begins again at 1."""
        return self._runs[name].exits_in_a_row

    async def start(self, program: Program) -> None:
        run = _Run(program, await self._spawn(program))
        self._runs[program.name] = run
        run.task = asyncio.create_task(self._keep_running(run))

    async def run(self, program: Program) -> str:
        """Run a program to its end and return its output.

        Raises:
            CannotStartError: it failed; the message has the end of its log.
        """
        process = await self._spawn(program, stdout=asyncio.subprocess.PIPE)
        try:
            output, _ = await process.communicate()
        finally:
            _signal(process, signal.SIGKILL)  # when this is cancelled, the program must not stay
            await process.wait()
        if process.returncode:
            ending = _describe_exit(process.returncode)
            raise CannotStartError(f"{program.name} {ending}.\n{self.log_end(program.name)}")
        return output.decode()

    async def stop(self) -> None:
        """Stop every program; those that others use come last."""
        self._stopping.set()
        for last, seconds in ((False, STOP_SECONDS), (True, LAST_STOP_SECONDS)):
            await _end([run for run in self._runs.values() if run.program.stops_last is last], seconds)

    async def stop_one(self, name: str) -> None:
        """Stop one program for good."""
        run = self._runs.pop(name)
        run.stopping.set()
        await _end([run], STOP_SECONDS)

    def kill_all(self) -> None:
        """Kill every program that still runs."""
        for run in self._runs.values():
            if run.process.returncode is None:
                _signal(run.process, signal.SIGKILL)

    def log_end(self, name: str) -> str:
        """Return the last lines of a program's log, and where the log is."""
        log = self._directory.log(name)
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([*(f"  {line}" for line in lines), f"The whole log is {_relative(log)}."])

    async def _spawn(self, program: Program, *, stdout: int | None = None) -> asyncio.subprocess.Process:
        with self._directory.log(program.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *_exiting_with_us(program.arguments),
                cwd=REPOSITORY,
                env=dict(program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops the programs in order
            )

    async def _keep_running(self, run: _Run) -> None:
        is_running = True
        while is_running:
            started = time.monotonic()
            ending = await self._wait_for_exit(run)
            run.exits_in_a_row = 1 if time.monotonic() - started > STABLE_SECONDS else run.exits_in_a_row + 1
            is_running = await self._restart(run, ending)

    async def _restart(self, run: _Run, ending: str) -> bool:
        """Try until the program has started; false when it must not start again."""
        while await self._should_restart(run, ending):
            try:
                run.process = await self._spawn(run.program)
            except OSError as error:  # no memory or disk space, perhaps for a moment
                ending = f"could not be started: {error}"
                run.exits_in_a_row += 1
            else:
                return True
        return False

    async def _wait_for_exit(self, run: _Run) -> str:
        pid_file = self._directory.pid_file(run.program.name)
        with suppress(OSError):  # the disk is full
            pid_file.write_text(await leftovers.describe(run.process.pid))
            self._on_change()
        if self._is_stopping(run):  # it was started while the others were being stopped
            _signal(run.process, signal.SIGTERM)
        code = await run.process.wait()
        _signal(run.process, signal.SIGKILL)  # its own child processes
        pid_file.unlink(missing_ok=True)
        return _describe_exit(code)

    async def _should_restart(self, run: _Run, ending: str) -> bool:
        """Wait before the restart; false when there must be none."""
        if self._is_stopping(run):
            return False
        seconds = RESTART_DELAYS[min(run.exits_in_a_row, len(RESTART_DELAYS)) - 1]
        when = f"in {seconds} s" if seconds else "now"
        log = _relative(self._directory.log(run.program.name))
        self._say(f"{run.program.name} {ending}; starting it again {when} ({log})")
        waits = [asyncio.ensure_future(event.wait()) for event in (self._stopping, run.stopping)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return not self._is_stopping(run)

    def _is_stopping(self, run: _Run) -> bool:
        return self._stopping.is_set() or run.stopping.is_set()


async def _end(runs: list[_Run], seconds: float) -> None:
    """End programs with SIGTERM, and those that still run after some seconds with SIGKILL."""
    by_task = {run.task: run for run in runs if run.task}
    for number, timeout in ((signal.SIGTERM, seconds), (signal.SIGKILL, KILL_SECONDS)):
        running = [task for task in by_task if not task.done()]
        for task in running:
            _signal(by_task[task].process, number)
        if running:
            await asyncio.wait(running, timeout=timeout)


def _exiting_with_us(arguments: tuple[str, ...]) -> tuple[str, ...]:
    if platform.system() != "Linux":
        return arguments
    return (sys.executable, "-I", "-S", exit_with_parent.__file__, str(os.getpid()), *arguments)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # each program leads its own process group; on macOS a group with only a zombie in it gives EPERM
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _describe_exit(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _relative(path: Path) -> str:
    return os.path.relpath(path, REPOSITORY)
