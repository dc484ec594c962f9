"""Reference nodes as processes, for every test that needs one: `start_node`."""

import json
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import requests

from tests.project.forks import Fork

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 20


@dataclass
class RunningNode:
    """A node that runs as a process of its own; `said` is what it wrote after its ready line (complaints, if any)."""

    directory: Path
    bind: str
    port: int
    pace: float
    faults: tuple[str, ...]
    process: Fork = field(repr=False)
    said: list[str] = field(default_factory=list)
    options: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        host = f"[{self.bind}]" if ":" in self.bind else self.bind
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.address}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def control(self) -> str:
        """Where its control port is; it was started with ``--control``."""
        deadline = time.monotonic() + START_SECONDS
        while not (found := [line for line in self.said if "/_control/" in line]):
            assert time.monotonic() < deadline, "it has no control port"
            time.sleep(0.01)
        return found[0].rstrip().removeprefix("faults and journal at ").removesuffix("/")

    def put_faults(self, *faults: str) -> None:
        """Have these faults, and no others, from now on."""
        requests.put(f"{self.control}/faults", json=faults, timeout=START_SECONDS).raise_for_status()

    @property
    def journal(self) -> Path:
        return self.directory / "journal.jsonl"

    def stop(self) -> int:
        """Tell it to stop (SIGTERM), wait for its end, return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Kill it (SIGKILL), as a crash does."""
        return self._end(signal.SIGKILL)

    def restart(self, *, faults: tuple[str, ...] | list[str] | None = None) -> None:
        """Stop it, if it still runs, and start it again at the same port with the same data and options.

        Faults start over: a fault of the first POST applies to the first after the restart. Give `faults`
        to start with others.
        """
        self.stop()
        if faults is not None:
            self.faults = tuple(faults)
        command = node_command(self.directory, self.bind, self.port, self.pace, self.faults, options=self.options)
        self.process, self.port, self.said = _start(command)

    def journal_lines(self) -> list[dict]:
        """Every line of its journal."""
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def requests(self) -> list[dict]:
        """The lines of requests, without those of other members and of connections that never made one."""
        return [
            line for line in self.journal_lines() if not (line.get("path") or "/_cluster/").startswith("/_cluster/")
        ]

    def accepted(self) -> list[dict]:
        """The lines of the POSTs that began a bootstrap."""
        return [line for line in self.journal_lines() if line.get("accepted")]

    def _end(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(START_SECONDS)
        self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()


def start_node(
    directory: Path,
    *,
    bind: str = "127.0.0.1",
    port: int = 0,
    pace: float = 0.2,
    faults: tuple[str, ...] | list[str] = (),
    options: tuple[str, ...] = (),
) -> RunningNode:
    """Start a node and return once it listens; port 0 is any that is free. End it with `stop`, `kill` or `with`."""
    process, port, said = _start(node_command(Path(directory), bind, port, pace, tuple(faults), options=options))
    return RunningNode(Path(directory), bind, port, pace, tuple(faults), process, said, options)


def node_command(
    directory: Path, bind: str, port: int, pace: float, faults: tuple[str, ...], *, options: tuple[str, ...] = ()
) -> list[str]:
    command = [sys.executable, "-m", "setup_wizard.reference_node", "--bind", bind, "--port", str(port)]
    command += ["--data", str(directory), "--pace", str(pace)]
    return [*command, *(word for fault in faults for word in ("--fault", fault)), *options]


def _start(command: list[str]) -> tuple[Fork, int, list[str]]:
    process = Fork(command[1:], cwd=REPOSITORY, env=os.environ, talks=True)
    process.stdin.close()
    said: list[str] = []
    ready: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        line = process.stdout.readline()
        ready.put(line)
        # the rest is read too, so that a node that complains is never stopped by a full pipe
        while line := process.stdout.readline():
            said.append(line)

    threading.Thread(target=listen, daemon=True).start()
    try:
        line = ready.get(timeout=START_SECONDS)
    except queue.Empty:
        line = ""
    if not line or "listening on https://" not in line:
        process.kill()
        process.wait()
        raise RuntimeError(f"The node did not start: {line or ''}{''.join(said)}")
    return process, int(line.partition(" (")[0].rsplit(":", 1)[1]), said
