"""The files of the demo, under `var/demo/` of the checkout."""

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
from setup_wizard.project.demo.errors import AlreadyRunningError, CannotStartError

REPOSITORY = Path(__file__).resolve().parents[3]
LOG_BYTES = 1024 * 1024
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, the closing zero included
SOCKET_PATH_BYTES = 100


@dataclass(frozen=True, slots=True)
class Directory:
    """The data, secrets, logs and PID files of one checkout's demo; other accounts cannot read them."""

    path: Path = REPOSITORY / "var" / "demo"

    @property
    def database(self) -> Path:
        return self.path / "demo.sqlite3"

    @property
    def reset_request(self) -> Path:
        """The file with which the pages ask for new nodes."""
        return self.path / "reset-nodes"

    @property
    def fingerprints(self) -> Path:
        """The fingerprints of the nodes' certificates, to be pasted where the pages ask for them."""
        return self.path / "fingerprints"

    def pid_file(self, program: str) -> Path:
        """Return the file with the process ID of a program."""
        return self.path / "pids" / program

    def pid_files(self) -> list[Path]:
        """List the files of the programs that run, or that a killed launcher left running."""
        return sorted((self.path / "pids").iterdir())

    def prepare(self) -> None:
        """Make the directories that programs write to."""
        for name in ("", "logs", "nodes", "pids", "secrets", "valkey"):
            (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(self, program: str) -> Path:
        """Return the file that a program's output goes to."""
        return self.path / "logs" / f"{program}.log"

    def roll_logs(self) -> None:
        """Rename long logs of earlier runs, so that no log grows without limit."""
        for log in (self.path / "logs").glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))

    def secret_key(self) -> Path:
        """Return the file with Django's secret key, made on the first start."""
        return self._secret("secret-key", lambda: secrets.token_urlsafe(48))

    def credential_key(self) -> Path:
        """Return the file with the key for credentials: 32 random bytes in base64, made on the first start."""
        return self._secret("credential-key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def _secret(self, name: str, make: Callable[[], str]) -> Path:
        file = self.path / "secrets" / name
        if not file.exists():
            private_file.write(file, make())
        return file

    def socket(self) -> Path:
        """Return a path for a unix socket that is short enough for the system and needs no quoting in a URL.

        Raises:
            CannotStartError: the path of the directory for temporary files is too long as well.
        """
        for directory in (self.path / "valkey", self._short_directory()):
            socket = directory / "valkey.sock"
            if len(os.fsencode(socket)) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9_./-]+", str(socket)):
                return socket
        raise CannotStartError(f"{tempfile.gettempdir()} is too long for a unix socket. Set TMPDIR to a shorter path.")

    def make_socket_directory(self, socket: Path) -> None:
        """Make the directory of the socket if it is missing.

        Raises:
            CannotStartError: another account owns a directory of that name, or can read it.
        """
        with suppress(FileExistsError):
            socket.parent.mkdir(mode=0o700)
        found = socket.parent.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise CannotStartError(f"{socket.parent} is not a private directory of yours. Remove it, then try again.")

    def _short_directory(self) -> Path:
        clone = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]
        return Path(tempfile.gettempdir()) / f"setup-wizard-{os.getuid()}-{clone}"

    @contextmanager
    def lock(self, port: int | None = None) -> Iterator[None]:
        """Lock this directory for one launcher; the system releases the lock when the launcher ends, however it does.

        Raises:
            AlreadyRunningError: another launcher has the lock.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _already_running(stream.read()) from None
            stream.truncate(0)
            json.dump({"pid": os.getpid(), "port": port}, stream)
            stream.flush()
            yield

    def remove(self) -> None:
        shutil.rmtree(self.path)
        shutil.rmtree(self._short_directory(), ignore_errors=True)


def _already_running(text: str) -> AlreadyRunningError:
    try:
        launcher = json.loads(text)
        return AlreadyRunningError(launcher["pid"], launcher["port"])
    except (ValueError, TypeError, KeyError):  # it got the lock just now, and has not written to the file yet
        return AlreadyRunningError(None, None)
