"""What arrived at a node, one line of JSON for each request, in the order of the answers."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path


class Journal:
    """An append-only file; a line is with the system before `write` returns, so a killed node loses none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, entry: dict[str, object]) -> None:
        """Add one line, with the time before everything else."""
        if self._descriptor is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # one call, so that lines never mix and never come in halves
        os.write(self._descriptor, json.dumps({"at": at, **entry}).encode() + b"\n")

    def close(self) -> None:
        """Take no more lines: what is cut off after the end is nobody's request."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
