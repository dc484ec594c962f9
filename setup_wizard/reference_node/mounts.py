"""What is mounted where, read from the system's table.

Reference: proc_pid_mountinfo(5).
"""

import re
from dataclasses import dataclass
from pathlib import Path

SYSTEM_TABLE = Path("/proc/self/mountinfo")
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4"})


@dataclass(frozen=True)
class Mount:
    """One line of the table: where, and which kind of file system."""

    point: Path
    file_system: str

    @property
    def is_nfs(self) -> bool:
        """Whether its files lie on another machine, by NFS."""
        return self.file_system in NETWORK_FILE_SYSTEMS


def find_mount(path: Path, table: Path = SYSTEM_TABLE) -> Mount | None:
    """The mount that a path lies on, or would lie on once it is made; None where the system has no such table."""
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return None
    resolved = path.resolve()
    around = [mount for mount in map(_parse, lines) if mount is not None and resolved.is_relative_to(mount.point)]
    # the deepest one, and of several on one place the last: it covers the others
    return max(reversed(around), key=lambda mount: len(mount.point.parts), default=None)


def _parse(line: str) -> Mount | None:
    # 36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/root rw: any number of words may stand before the hyphen
    before, hyphen, after = line.partition(" - ")
    words, kinds = before.split(" "), after.split(" ")
    if not hyphen or len(words) < 5:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[4])
    return Mount(Path(point), kinds[0])
