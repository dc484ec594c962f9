"""A store without a server, for load tests: members keep lists of their own and tell each other whom they know.

What a member knows of its cluster lies in `ccs-redis.rdb`, from which a light node can recover it. The secret that
members know each other by is not in it, as it is not in the file of a server.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from setup_wizard.reference_node.errors import BootstrapFailed, StoreUnavailable
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.passwords import password_matches
from setup_wizard.reference_node.store import Change
from setup_wizard.reference_node.store.directory import make_directory, set_aside

FILE_NAME = "ccs-redis.rdb"
FILE_LIMIT = 16 * 1024 * 1024


class Light:
    """One file, beside the membership that the node keeps itself."""

    port = 0
    is_watched = False

    def __init__(self) -> None:
        self._file: Path | None = None
        self._written = b""
        self._is_new = False
        self._aside: Path | None = None

    async def create(self, membership: Membership, directory: Path) -> Membership:
        """Begin with this membership; an older file in the directory is kept beside it."""
        self._begin_anew(directory)
        return self._keep(membership)

    async def join(self, membership: Membership, directory: Path) -> Membership:
        """Begin with what the member that admitted the node knows."""
        self._begin_anew(directory)
        return self._keep(membership)

    async def load(self, cluster: Cluster, file: Path, directory: Path) -> Membership:
        """Begin with the record in a file that a light node has written: of `cluster` only the secret counts."""
        with file.open("rb") as opened:
            found = read_file(opened.read(FILE_LIMIT), cluster.secret)
        if found is None:
            message = f"{file} holds no cluster's record of a light node, which this one is"
            raise BootstrapFailed("config_error", message, field="recovery_filename")
        self._file = directory / FILE_NAME
        if not (self._file.exists() and self._file.samefile(file)):
            self._begin_anew(directory)
        return found

    async def resume(self, _membership: Membership, directory: Path) -> None:
        """Go on with the file of before."""
        self._file = directory / FILE_NAME

    async def revive(self, _membership: Membership) -> bool:
        """Have nothing that could die."""
        return False

    async def accepts(self, cluster: Cluster, username: str, password: str) -> bool:
        """Compare with what is kept."""
        return password_matches(password, cluster.password) and username == cluster.username

    async def read(self, membership: Membership) -> Membership:
        """Say what is known."""
        return membership

    async def change(self, membership: Membership, change: Change) -> Membership:
        """Change it here; the others are told when they are asked the next time."""
        return self._keep(change(membership))

    async def take_role(self, membership: Membership) -> None:
        """Have no role."""

    async def is_in_step(self) -> bool:
        """Be alone."""
        return True

    def hear(self, membership: Membership, uid: int, members: Iterable[Member]) -> Membership:
        """Believe a member what it says of itself; of the others only what is new."""
        heard = list(members)
        known = {member.uid: member for member in membership.members}
        itself = [
            member
            for member in heard
            if member.uid == uid != membership.uid
            # one that was given up and comes back must not overrule the one that has taken its place
            and (uid not in known or known[uid].install == member.install or known[uid].clock < member.clock)
        ]
        return self._keep(membership.updated(itself).introduced(heard))

    async def close(self, *, forget: bool = False) -> None:
        """End; `forget` also takes away the file of a bootstrap that has failed."""
        if forget and self._is_new and self._file is not None:
            self._file.unlink(missing_ok=True)
            if self._aside is not None:
                self._aside.rename(self._file)
            elif not any(self._file.parent.iterdir()):
                self._file.parent.rmdir()
        self._file, self._written, self._is_new, self._aside = None, b"", False, None

    def _begin_anew(self, directory: Path) -> None:
        make_directory(directory)
        self._file, self._is_new = directory / FILE_NAME, True
        self._aside = set_aside(self._file)

    def _keep(self, membership: Membership) -> Membership:
        """Write what is not only of this moment, when there is news."""
        document = write_document(membership)
        if self._file is not None and document != self._written:
            try:
                write_private(self._file, document)
            except OSError as error:
                raise StoreUnavailable(f"{self._file} cannot be written: {error.strerror}") from None
            self._written = document
        return membership


def write_document(membership: Membership) -> bytes:
    """The record as it lies in a file."""
    document = membership.document()
    cluster: Any = document["cluster"]
    del cluster["secret"]
    members = [{**member.kept(), "clock": 0.0, "facts": lasting(member)} for member in membership.members]
    return json.dumps({**document, "members": members}, indent=2).encode()


def lasting(member: Member) -> dict[str, object]:
    """The facts of a member that do not change by themselves."""
    return {name: fact for name, fact in member.facts.items() if name != "uptime"}


def read_file(content: bytes, secret: str) -> Membership | None:
    """Read back what `write_document` made, under another secret; None when it did not make this."""
    try:
        document = json.loads(content)
        return Membership.parse({**document, "cluster": {**document["cluster"], "secret": secret}})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
