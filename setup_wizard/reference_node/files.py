"""Files that are either the old ones or the new ones, and that only their owner reads."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner alone.

    Raises OSError when the disk refuses it; the file that was there is then untouched.
    """
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
