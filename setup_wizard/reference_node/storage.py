"""Where a node keeps its files: asked for, looked at, made."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.mounts import SYSTEM_TABLE, find_mount

PRODUCT_TREE = Path("/var/opt/redislabs")


@dataclass(frozen=True)
class Storage:
    """The paths of one node; `ccs` only when it was asked for.

    `tree` stands in for /var/opt/redislabs, which the product brings along: the node's own directory, since two nodes
    of one machine must not share it.
    """

    persistent: Path
    ephemeral: Path
    bigstore: Path
    tree: Path
    ccs: Path | None = None

    @classmethod
    def inside(cls, directory: Path) -> "Storage":
        """The defaults of a fresh node: all under its own directory, since /var/opt is not ours to write."""
        return cls(directory / "persist", directory / "tmp", directory / "flash", directory)

    def locate(self, path: str) -> Path:
        """Where a path of a request lies on this machine."""
        asked = Path(path)
        return self.tree / asked.relative_to(PRODUCT_TREE) if is_inside(asked, PRODUCT_TREE) else asked

    def asked(self, persistent: str, ephemeral: str, bigstore: str, ccs: str) -> "Storage":
        """The paths that a request asks for, and these where it leaves one empty."""
        return Storage(
            self.locate(persistent) if persistent else self.persistent,
            self.locate(ephemeral) if ephemeral else self.ephemeral,
            self.locate(bigstore) if bigstore else self.bigstore,
            self.tree,
            self.locate(ccs) if ccs else None,
        )

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
                check_path(path, self.tree)
            coming.add(path)
        for path in filter(None, (self.persistent, self.ccs)):
            mount = find_mount(path, mounts)
            if mount is not None and mount.is_nfs:
                message = f"{path} lies on NFS, mounted at {mount.point}: persistent storage needs a disk of the node"
                raise _refusal(path, message, file_system=mount.file_system)

    def prepare(self) -> tuple[Path, ...]:
        """Make every path that is missing and return those; raises BootstrapFailed, with nothing left of them."""
        # those around a path come before it, so that they are removed after it
        around = (parent for path in self.paths for parent in reversed([path, *path.parents]))
        missing = tuple(dict.fromkeys(path for path in around if not path.exists()))
        try:
            for path in self.paths:
                prepare_path(path, self.tree)
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
    def from_document(cls, document: dict[str, str | None], tree: Path) -> "Storage":
        """Read back what `document` made, for a node in the directory `tree`."""
        ccs = document["ccs"]
        return cls(
            Path(str(document["persistent"])),
            Path(str(document["ephemeral"])),
            Path(str(document["bigstore"])),
            tree,
            None if ccs is None else Path(ccs),
        )


def check_path(path: Path, tree: Path) -> None:
    """Look whether one directory can be written, or be made; raises BootstrapFailed.

    Its parent has to be there, except inside `tree`.
    """
    try:
        if path.exists() or path.is_symlink():
            if not path.is_dir():
                raise _refusal(path, f"{path} is not a directory")
            place = path
        else:
            place = find_existing(path.parent) if is_inside(path, tree) else path.parent
            if not place.exists():
                raise _refusal(path, f"{path} cannot be made: {place} does not exist")
            if not place.is_dir():
                raise _refusal(path, f"{path} cannot be made: {place} is not a directory")
    except OSError as error:
        raise _refusal(path, f"{path} cannot be made: {os.strerror(error.errno or 0)}") from None
    try:
        # tried, not asked: permissions, read-only mounts and quotas all say no in their own way
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        what = "cannot be written" if place == path else f"cannot be made: {place} cannot be written"
        raise _refusal(path, f"{path} {what}: {os.strerror(error.errno or 0)}") from None


def is_inside(path: Path, tree: Path) -> bool:
    """Whether a path lies in a directory; one with .. in it may lead out of it again."""
    return ".." not in path.parts and path.is_relative_to(tree)


def find_existing(path: Path) -> Path:
    """The deepest part of a path that is there."""
    return next(part for part in (path, *path.parents) if part.exists())


def prepare_path(path: Path, tree: Path) -> None:
    """Make one directory, when it is missing; raises BootstrapFailed when it cannot be used."""
    check_path(path, tree)
    try:
        path.mkdir(exist_ok=True, parents=is_inside(path, tree))
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
