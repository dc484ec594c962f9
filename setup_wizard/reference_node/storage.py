"""Where a node keeps its files: asked for, looked at, made."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.mounts import SYSTEM_TABLE, find_mount


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

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that are needed."""
        return tuple(path for path in (self.persistent, self.ephemeral, self.bigstore, self.ccs) if path is not None)

    def check(self, mounts: Path = SYSTEM_TABLE) -> None:
        """Look at every path without making any; raises BootstrapFailed at the first that cannot be used.

        What has to outlive the machine must not lie on NFS; the other paths may, if slowly.
        """
        coming: set[Path] = set()
        for path in self.paths:
            if path.parent not in coming:
                check_path(path)
            coming.add(path)
        for path in filter(None, (self.persistent, self.ccs)):
            mount = find_mount(path, mounts)
            if mount is not None and mount.is_nfs:
                message = f"{path} lies on NFS, mounted at {mount.point}: persistent storage needs a disk of the node"
                raise _refusal(path, message, file_system=mount.file_system)

    def prepare(self) -> tuple[Path, ...]:
        """Make every path that is missing and return those; raises BootstrapFailed, with nothing left of them."""
        missing = tuple(path for path in self.paths if not path.exists())
        try:
            for path in self.paths:
                prepare_path(path)
        except BootstrapFailed:
            discard(missing)
            raise
        return missing

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


def check_path(path: Path) -> None:
    """Look whether one directory can be written, or be made inside a parent that is there; raises BootstrapFailed."""
    try:
        if path.exists() or path.is_symlink():
            if not path.is_dir():
                raise _refusal(path, f"{path} is not a directory")
        elif not path.parent.exists():
            raise _refusal(path, f"{path} cannot be made: {path.parent} does not exist")
        elif not path.parent.is_dir():
            raise _refusal(path, f"{path} cannot be made: {path.parent} is not a directory")
        place = path if path.exists() else path.parent
    except OSError as error:
        raise _refusal(path, f"{path} cannot be made: {os.strerror(error.errno or 0)}") from None
    try:
        # tried, not asked: permissions, read-only mounts and quotas all say no in their own way
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        what = "cannot be written" if place == path else f"cannot be made: {place} cannot be written"
        raise _refusal(path, f"{path} {what}: {os.strerror(error.errno or 0)}") from None


def prepare_path(path: Path) -> None:
    """Make one directory, when it is missing; raises BootstrapFailed when it cannot be used."""
    check_path(path)
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise _refusal(path, f"{path} cannot be made: {os.strerror(error.errno or 0)}") from None


def discard(made: Iterable[Path]) -> None:
    """Remove directories that a bootstrap has made and now does not need; what has something in it stays."""
    for path in reversed(list(made)):
        try:
            path.rmdir()
        except OSError:
            continue


def _refusal(path: Path, message: str, **details: object) -> BootstrapFailed:
    return BootstrapFailed("path_error", message, path=str(path), **details)
