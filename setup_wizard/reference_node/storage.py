"""The directories of a node: read from the request, checked, made; and what is mounted where.

Reference: proc_pid_mountinfo(5).
"""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from setup_wizard.reference_node.errors import BootstrapFailed

PRODUCT_TREE = Path("/var/opt/redislabs")
SYSTEM_TABLE = Path("/proc/self/mountinfo")
REQUEST_FIELDS = {
    "persistent_path": "persistent",
    "ephemeral_path": "ephemeral",
    "bigstore_path": "bigstore",
    "ccs_persistent_path": "ccs",
}
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4"})


@dataclass(frozen=True)
class Storage:
    """The paths of one node; `ccs` only when the request has it.

    `tree` stands in for /var/opt/redislabs, which exists on real nodes: the directory of this node, since two nodes of
    one machine must not share it.
    """

    persistent: Path
    ephemeral: Path
    bigstore: Path
    tree: Path
    ccs: Path | None = None

    @classmethod
    def inside(cls, directory: Path) -> "Storage":
        """The defaults of a fresh node."""
        return cls(directory / "persist", directory / "tmp", directory / "flash", directory)

    def locate(self, path: str) -> Path:
        """The path on this machine for a path of a request."""
        asked = Path(path)
        return self.tree / asked.relative_to(PRODUCT_TREE) if is_inside(asked, PRODUCT_TREE) else asked

    def asked(self, paths: Mapping[str, str]) -> "Storage":
        """The paths of a request, and these where it has none."""
        located: dict[str, Any] = {
            field: self.locate(paths[name]) for name, field in REQUEST_FIELDS.items() if paths.get(name)
        }
        return replace(self, **{"ccs": None, **located})

    @property
    def ccs_directory(self) -> Path:
        """Where `ccs-redis.rdb` is."""
        return self.ccs or self.persistent / "ccs"

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.persistent, self.ephemeral, self.bigstore, self.ccs) if path is not None)

    def check(self, mounts: Path = SYSTEM_TABLE) -> None:
        """Check every path and make none; raises BootstrapFailed at the first that cannot be used.

        Persistent paths must not be on NFS; the others may, if slow.
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
                raise _path_error(path, message, file_system=mount.file_system)

    def prepare(self) -> tuple[Path, ...]:
        """Make every missing path and return those; raises BootstrapFailed and then leaves none of them."""
        # parents first, so that `discard` removes them last
        around = (parent for path in self.paths for parent in reversed([path, *path.parents]))
        missing = tuple(dict.fromkeys(path for path in around if not path.exists()))
        try:
            for path in self.paths:
                check_path(path, self.tree)
                try:
                    path.mkdir(exist_ok=True, parents=is_inside(path, self.tree))
                except OSError as error:
                    raise _path_error(path, f"{path} cannot be made: {os.strerror(error.errno or 0)}") from None
        except BootstrapFailed:
            discard(missing)
            raise
        return missing


def check_path(path: Path, tree: Path) -> None:
    """Raise BootstrapFailed unless a directory can be written, or be made.

    Its parent must exist, except inside `tree`.
    """
    try:
        place = path
        if path.exists() or path.is_symlink():
            if not path.is_dir():
                raise _path_error(path, f"{path} is not a directory")
        else:
            place = next(part for part in path.parents if part.exists()) if is_inside(path, tree) else path.parent
            if not place.exists():
                raise _path_error(path, f"{path} cannot be made: {place} does not exist")
            if not place.is_dir():
                raise _path_error(path, f"{path} cannot be made: {place} is not a directory")
    except OSError as error:
        raise _path_error(path, f"{path} cannot be made: {os.strerror(error.errno or 0)}") from None
    try:
        # tried, since permissions, read-only mounts and quotas all refuse in their own way
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        what = "cannot be written" if place == path else f"cannot be made: {place} cannot be written"
        raise _path_error(path, f"{path} {what}: {os.strerror(error.errno or 0)}") from None


def is_inside(path: Path, tree: Path) -> bool:
    """Whether a path is in a directory; a path with .. may lead out of it."""
    return ".." not in path.parts and path.is_relative_to(tree)


def discard(made: Iterable[Path]) -> None:
    """Remove directories that a failed bootstrap has made, unless something is in them."""
    for path in reversed(list(made)):
        try:
            path.rmdir()
        except OSError:
            continue


def _path_error(path: Path, message: str, **details: object) -> BootstrapFailed:
    return BootstrapFailed("path_error", message, path=str(path), **details)


@dataclass(frozen=True)
class Mount:
    """A mount point and its kind of file system."""

    point: Path
    file_system: str

    @property
    def is_nfs(self) -> bool:
        return self.file_system in NETWORK_FILE_SYSTEMS


def find_mount(path: Path, table: Path = SYSTEM_TABLE) -> Mount | None:
    """The mount of a path that exists or will be made; None where the system has no such table."""
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return None
    resolved = path.resolve()
    around = [mount for mount in map(_parse_mount, lines) if mount is not None and resolved.is_relative_to(mount.point)]
    # the deepest; of several at one point the last, which covers the others
    return max(reversed(around), key=lambda mount: len(mount.point.parts), default=None)


def _parse_mount(line: str) -> Mount | None:
    # 36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/root rw, with any number of words before the hyphen
    before, hyphen, after = line.partition(" - ")
    words, kinds = before.split(" "), after.split(" ")
    if not hyphen or len(words) < 5:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[4])
    return Mount(Path(point), kinds[0])
