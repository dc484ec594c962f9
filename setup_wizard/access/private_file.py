"""Files that hold a secret."""

import os
from pathlib import Path


def write(file: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it, at any moment."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
