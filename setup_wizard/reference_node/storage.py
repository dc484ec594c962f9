"""Where a node keeps its files: asked for, looked at, made."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.reference_node.errors import BootstrapFailed


@dataclass(frozen=True)
class Storage:
    """The paths of one node; `ccs` only when it was asked for."""

    persistent: Path
    ephemeral: Path
    bigstore: Path
    ccs: Path | None = None

    @classmethod
    def inside(cls, directory: Path) -> "Storage":
        """The defaults of a fresh node: all under its own directory, since /var/opt is not ours to write."""
        return cls(directory / "persist", directory / "tmp", directory / "flash")

    @property
    def ccs_directory(self) -> Path:
        """Where the store of the cluster's record keeps its files."""
        return self.ccs or self.persistent / "ccs"

    def prepare(self) -> None:
        """Make every path that is missing; raises BootstrapFailed at the first that cannot be used."""
        for path in (self.persistent, self.ephemeral, self.bigstore, self.ccs):
            if path is not None:
                prepare_path(path)

    def document(self) -> dict[str, str | None]:
        """The form in which it is kept."""
        return {
            "persistent": str(self.persistent),
            "ephemeral": str(self.ephemeral),
            "bigstore": str(self.bigstore),
            "ccs": None if self.ccs is None else str(self.ccs),
        }

    @classmethod
    def from_document(cls, document: dict[str, str | None]) -> "Storage":
        """Read back what `document` made."""
        ccs = document["ccs"]
        return cls(
            Path(str(document["persistent"])),
            Path(str(document["ephemeral"])),
            Path(str(document["bigstore"])),
            None if ccs is None else Path(ccs),
        )


def prepare_path(path: Path) -> None:
    """Make one directory, inside a parent that is there, and try to write in it; raises BootstrapFailed."""
    try:
        if path.exists():
            if not path.is_dir():
                raise _refusal(path, f"{path} is not a directory")
        elif not path.parent.exists():
            raise _refusal(path, f"{path} cannot be made: {path.parent} does not exist")
        elif not path.parent.is_dir():
            raise _refusal(path, f"{path} cannot be made: {path.parent} is not a directory")
        else:
            path.mkdir()
    except OSError as error:
        raise _refusal(path, f"{path} cannot be made: {os.strerror(error.errno or 0)}") from None
    try:
        # tried, not asked: permissions, read-only mounts and quotas all say no in their own way
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise _refusal(path, f"{path} cannot be written: {os.strerror(error.errno or 0)}") from None


def _refusal(path: Path, message: str) -> BootstrapFailed:
    return BootstrapFailed("path_error", message, path=str(path))
