"""Files of a node: replaced as a whole, sealed, or appended to as a journal."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner alone; raises OSError and then leaves the old one."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class Seal:
    """Encrypts short texts with the node's own key (`seal.key`, made on first use).

    It keeps the request of a running bootstrap, so that a restarted node can continue.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "seal.key"
        if not path.exists():
            write_private(path, Fernet.generate_key())
        self._fernet = Fernet(path.read_bytes())

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, sealed: str) -> str:
        """Decrypt a text; raises ValueError when it was encrypted with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("sealed with another key") from None


class Journal:
    """One line of JSON for each request that arrived, in the order of the answers.

    The system has a line before `write` returns, so a killed node loses none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, entry: dict[str, object]) -> None:
        """Append one line that begins with the time."""
        if self._descriptor is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # one call, so that lines never mix
        os.write(self._descriptor, json.dumps({"at": at, **entry}).encode() + b"\n")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
