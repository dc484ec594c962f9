"""Where a member keeps what its cluster knows.

valkey     a real server, the primary's copied to every member, as the product does it
light      no server: a file of the member's own, and what members tell each other
directory  where either keeps its file
process    a server as a process: found, started, ended with its node (tether)
access     who may sign in to a server
ledger     the cluster's record as keys of a server
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from setup_wizard.reference_node.membership import Cluster, Member, Membership

Change = Callable[[Membership], Membership]


class Store(Protocol):
    """One member's part of the store; `port` is where it listens (0: it does not).

    What it returns is the membership that it was given with what the store says in it. Every method may raise
    StoreUnavailable; those that start a server StoreFailed.
    """

    port: int
    is_watched: bool

    async def create(self, membership: Membership, directory: Path) -> Membership:
        """Begin a record with this membership in a directory."""

    async def join(self, membership: Membership, directory: Path) -> Membership:
        """Begin a copy of the cluster's record; returns once it is in step with the primary's."""

    async def load(self, cluster: Cluster, file: Path, directory: Path) -> Membership:
        """Begin with the record in a file: of `cluster` only the secret counts, the rest is the file's.

        Raises BootstrapFailed when there is no record in it.
        """

    async def resume(self, membership: Membership, directory: Path) -> None:
        """Go on with what lies in a directory."""

    async def revive(self, membership: Membership) -> bool:
        """Start what has died again; says whether that was needed."""

    async def accepts(self, cluster: Cluster, username: str, password: str) -> bool:
        """Say whether these are the credentials of the cluster's administrator."""

    async def read(self, membership: Membership) -> Membership:
        """Read the record."""

    async def change(self, membership: Membership, change: Change) -> Membership:
        """Change the record, as it is at the primary, in one step; what is returned is on the primary's disk."""

    async def take_role(self, membership: Membership) -> None:
        """Lead or copy, as the membership says."""

    async def is_in_step(self) -> bool:
        """Whether it leads, or has its primary's record and hears from it."""

    def hear(self, membership: Membership, uid: int, members: Iterable[Member]) -> Membership:
        """Take in what the member with this uid says of the members."""

    async def close(self, *, forget: bool = False) -> None:
        """End; `forget` also takes away the files of a bootstrap that has failed."""
