"""A store without a server, for load tests: members keep lists of their own and tell each other whom they know."""

from collections.abc import Iterable
from pathlib import Path

from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.membership import Cluster, Member, Membership
from setup_wizard.reference_node.passwords import password_matches
from setup_wizard.reference_node.store import Change


class Light:
    """Nothing beside the membership that the node keeps itself."""

    port = 0
    is_watched = False

    async def create(self, membership: Membership, _directory: Path) -> Membership:
        """Begin with this membership."""
        return membership

    async def join(self, membership: Membership, _directory: Path) -> Membership:
        """Begin with what the member that admitted the node knows."""
        return membership

    async def load(self, _cluster: Cluster, file: Path, _directory: Path) -> Membership:
        """Refuse: there is no server to read the file."""
        raise BootstrapFailed("config_error", f"A light node cannot read {file}", field="recovery_filename")

    async def resume(self, membership: Membership, directory: Path) -> None:
        """Need nothing."""

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
        return change(membership)

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
        return membership.updated(itself).introduced(heard)

    async def close(self, *, forget: bool = False) -> None:
        """Leave nothing behind."""
