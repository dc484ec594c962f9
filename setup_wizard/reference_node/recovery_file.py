"""The file `ccs-redis.rdb`: one member's copy of what the cluster knows, from which it can be recovered.

Named as the vendor's file, but JSON. The secret of the members is not in it: a copied file must not open a running
cluster.
"""

import fcntl
import itertools
import json
import os
from contextlib import suppress
from pathlib import Path

from setup_wizard.reference_node.documents import read_document, write_document
from setup_wizard.reference_node.errors import BootstrapFailed, ClusterUnavailable
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.membership import Membership

FILE_NAME = "ccs-redis.rdb"
FILE_LIMIT = 16 * 1024 * 1024


class RecoveryFile:
    """The file in one directory, which is locked for this node alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / FILE_NAME
        self._lock: int | None = None
        self._written = b""
        self._is_new = False
        self._older: Path | None = None

    def create(self, membership: Membership) -> None:
        """Write a first file and keep an older one beside it: it may be the only one to recover that cluster from.

        Raises BootstrapFailed (`path_error`) when the directory cannot be used, ClusterUnavailable as `write` does.
        """
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise self._path_error(f"cannot be used: {os.strerror(error.errno or 0)}") from None
        self._take()
        if self._file.exists():
            names = (Path(f"{self._file}.{number}") for number in itertools.count(1))
            self._older = self._file.rename(next(path for path in names if not path.exists()))
        self._is_new = True
        self.write(membership)

    def resume(self) -> None:
        """Continue with the file after a restart."""
        with suppress(BootstrapFailed):  # the next write reports what is wrong with the directory
            self._take()

    def write(self, membership: Membership) -> None:
        """Write what has changed; raises ClusterUnavailable when the system refuses it."""
        content = encode_membership(membership)
        if content == self._written:
            return
        try:
            write_private(self._file, content)
        except OSError as error:
            raise ClusterUnavailable(f"{self._file} cannot be written: {os.strerror(error.errno or 0)}") from None
        self._written = content

    def close(self, *, forget: bool = False) -> None:
        """Unlock the directory.

        After a failed bootstrap, `forget` removes its file, puts an older one back, and removes an empty directory.
        """
        if forget and self._is_new:
            self._file.unlink(missing_ok=True)
            if self._older is not None:
                self._older.rename(self._file)
        if self._lock is not None:
            if forget:
                with suppress(OSError):  # something else is in it
                    self._directory.rmdir()
            os.close(self._lock)
            self._lock = None

    def _take(self) -> None:
        try:
            self._lock = os.open(self._directory, os.O_RDONLY)
        except OSError as error:
            raise self._path_error(f"cannot be used: {os.strerror(error.errno or 0)}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = None
            raise self._path_error("is in use by another running node") from None

    def _path_error(self, what: str) -> BootstrapFailed:
        return BootstrapFailed("path_error", f"{self._directory} {what}", path=str(self._directory))


def encode_membership(membership: Membership) -> bytes:
    """The content of the file."""
    document = write_document(membership)
    del document["cluster"]["secret"]
    for member in document["members"]:
        member["facts"].pop("uptime", None)  # it changes all the time
    return json.dumps(document, indent=2).encode()


def read_membership(file: Path, secret: str) -> Membership:
    """Read back a file that any node has written, and put this secret into it.

    Raises BootstrapFailed (`config_error`) when it is not such a file, OSError when it cannot be read.
    """
    with file.open("rb") as opened:
        content = opened.read(FILE_LIMIT)
    try:
        document = json.loads(content)
        return read_document(Membership, {**document, "cluster": {**document["cluster"], "secret": secret}})
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"{file} is not the file of a cluster of reference nodes"
        raise BootstrapFailed("config_error", message, field="recovery_filename") from None
