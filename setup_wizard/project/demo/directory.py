"""Everything the demo keeps, under `var/demo/` of the clone."""

import base64
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.access import private_file
from setup_wizard.project.demo.errors import CannotStartError, RunsAlreadyError

CLONE = Path(__file__).resolve().parents[3]
LOG_BYTES = 1024 * 1024
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, the closing zero included
SOCKET_PATH_BYTES = 100


@dataclass(frozen=True, slots=True)
class Directory:
    """Where one clone's demo keeps its data, secrets, logs and process ids; nobody else may read any of it."""

    path: Path = CLONE / "var" / "demo"

    @property
    def database(self) -> Path:
        return self.path / "demo.sqlite3"

    @property
    def reset_request(self) -> Path:
        """The file with which the pages ask for new nodes."""
        return self.path / "reset-nodes"

    def note(self, part: str) -> Path:
        """Name the file that says which process a part is."""
        return self.path / "pids" / part

    def notes(self) -> dict[Path, str]:
        """Read what an earlier runner noted of its parts and did not take back."""
        return {file: file.read_text() for file in sorted((self.path / "pids").iterdir())}

    def prepare(self) -> None:
        """Make the directories that the parts write to."""
        for name in ("", "logs", "nodes", "pids", "secrets", "valkey"):
            (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(self, part: str) -> Path:
        """Name the file that a part's output goes to."""
        return self.path / "logs" / f"{part}.log"

    def roll_logs(self) -> None:
        """Put long logs of earlier runs aside, so that they do not grow for ever."""
        for log in (self.path / "logs").glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))

    def secret_key(self) -> Path:
        """Give the file with Django's secret key, made on the first start."""
        return self._secret("secret-key", lambda: secrets.token_urlsafe(48))

    def credential_key(self) -> Path:
        """Give the file with the key that seals credentials, 32 random bytes in base64, made on the first start."""
        return self._secret("credential-key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def _secret(self, name: str, make: Callable[[], str]) -> Path:
        file = self.path / "secrets" / name
        if not file.exists():
            private_file.write(file, make())
        return file

    def socket(self) -> Path:
        """Name a unix socket that the system and a URL can spell.

        Raises:
            CannotStartError: the system's directory for temporary files is too deep as well.
        """
        for directory in (self.path / "valkey", self._short_directory()):
            socket = directory / "valkey.sock"
            if len(os.fsencode(socket)) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9_./-]+", str(socket)):
                return socket
        raise CannotStartError(f"{tempfile.gettempdir()} is too deep for a unix socket. Set TMPDIR to a shorter path.")

    def make_socket_directory(self, socket: Path) -> None:
        """Make the directory of the socket, when it is not one of ours already.

        Raises:
            CannotStartError: somebody else owns a directory of that name, or may look into it.
        """
        with suppress(FileExistsError):
            socket.parent.mkdir(mode=0o700)
        found = socket.parent.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise CannotStartError(f"{socket.parent} is not a private directory of yours. Remove it and try again.")

    def _short_directory(self) -> Path:
        clone = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]
        return Path(tempfile.gettempdir()) / f"setup-wizard-{os.getuid()}-{clone}"

    @contextmanager
    def lock(self, port: int | None = None) -> Iterator[None]:
        """Hold this directory for one runner; the system lets go of it however the runner ends.

        Raises:
            RunsAlreadyError: another runner holds it.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _runs_already(stream.read()) from None
            stream.truncate(0)
            json.dump({"pid": os.getpid(), "port": port}, stream)
            stream.flush()
            yield

    def remove(self) -> None:
        shutil.rmtree(self.path)
        shutil.rmtree(self._short_directory(), ignore_errors=True)


def _runs_already(text: str) -> RunsAlreadyError:
    try:
        runner = json.loads(text)
        return RunsAlreadyError(runner["pid"], runner["port"])
    except (ValueError, TypeError, KeyError):  # it took the lock this instant and has not written yet
        return RunsAlreadyError(None, None)
