"""A cluster as one of its members knows it."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from setup_wizard.reference_node.lockout import VENDOR_POLICY, LockoutPolicy


@dataclass(frozen=True)
class Cluster:
    """What all members share.

    `password` is a hash, and so are those of `viewers`, the accounts without the administrator's role; `secret`
    authenticates members to each other; `license` is the text as it was sent; `shards` is the number of shards of all
    databases.
    """

    name: str
    username: str
    password: str
    secret: str
    created_time: str
    rack_aware: bool = False
    license: str = ""
    shards: int = 0
    bigstore_driver: str = "speedb"
    lockout: LockoutPolicy = VENDOR_POLICY
    viewers: Mapping[str, str] = field(default_factory=dict)

    def accepts(self, username: str, password: str) -> bool:
        """Whether these are the credentials of its administrator."""
        return password_matches(password, self.password) and username == self.username

    def policy(self) -> dict[str, object]:
        """The body of `GET /v1/cluster/policy`."""
        return {"rack_aware": self.rack_aware, **self.lockout.document()}

    def document(self) -> dict[str, object]:
        """The part of `GET /v1/cluster` that is the same on every member."""
        return {
            "name": self.name,
            "created_time": self.created_time,
            "rack_aware": self.rack_aware,
            "bigstore_driver": self.bigstore_driver,
            "cnm_http_port": 8080,
            "password_complexity": False,
            "password_min_length": 8,
            "upgrade_in_progress": False,
            "upgrade_mode": False,
            "use_external_ipv6": True,
        }


@dataclass(frozen=True)
class Member:
    """One node of the cluster. `install` differs between two installations at the same address.

    `memory` and `flash` are bytes. `joined_at` is in seconds since 1970: when the node asked to join, by its own clock;
    once admitted, when that was, by the clock of the member that admitted it.
    """

    install: str
    uid: int
    addr: str
    port: int
    status: str = "provisioning"
    external_addr: tuple[str, ...] = ()
    rack_id: str = ""
    memory: int = 0
    flash: int = 0
    joined_at: float = 0.0
    socket_directory: str = ""
    install_dir: str = ""
    config_dir: str = ""
    os_user: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_down(self) -> bool:
        return self.status == "down"

    def document(self) -> dict[str, object]:
        """One entry of `GET /v1/nodes`."""
        return {
            "uid": self.uid,
            "addr": self.addr,
            "external_addr": list(self.external_addr),
            "rack_id": self.rack_id,
            "status": self.status,
            # nothing here changes these: there are no databases
            "max_redis_forks": -1,
            "max_slave_full_syncs": -1,
            "shard_count": 0,
            "ram_shard_count": 0,
            "flash_shard_count": 0,
            "shard_list": [],
            **self.facts,
        }

    def status_document(self, *, is_primary: bool) -> dict[str, object]:
        """Its part of `GET /v1/nodes/status`."""
        facts = {name: self.facts.get(name) for name in ("cores", "software_version", "total_memory")}
        role = "master" if is_primary else "slave"
        return {"hostname": f"node-{self.uid}", "node_status": self.status, "role": role, **facts}


@dataclass(frozen=True)
class Membership:
    """One node's cluster and all members that it knows, itself included.

    `reserved` has the uids of nodes that were admitted and have not joined yet, by their installation.
    """

    uid: int
    cluster: Cluster
    members: tuple[Member, ...]
    reserved: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.uid not in {member.uid for member in self.members}:
            raise ValueError("the node itself is not among the members")

    @property
    def own(self) -> Member:
        return next(member for member in self.members if member.uid == self.uid)

    @property
    def others(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.uid != self.uid)

    @property
    def next_uid(self) -> int:
        return max([member.uid for member in self.members] + list(self.reserved.values())) + 1

    def rack_aware(self) -> Self:
        """The same, with rack awareness turned on."""
        return replace(self, cluster=replace(self.cluster, rack_aware=True))

    def updated(self, *changed: Member) -> Self:
        """Put these members in the place of those with the same uid."""
        known = {member.uid: member for member in (*self.members, *changed)}
        return replace(self, members=tuple(known[uid] for uid in sorted(known)))

    def learned(self, sender: Member, members: Iterable[Member]) -> Self:
        """Take over what a member reports: itself as it is now, of the others only who is new.

        A uid belongs to the node that got it last.
        """
        known = {member.uid: member for member in self.members}
        new = [
            member
            for member in members
            if member.uid not in known
            or known[member.uid].joined_at < member.joined_at
            or (member.uid == sender.uid and known[member.uid].install == member.install)
        ]
        learned = self.updated(*new)
        installs = {member.install for member in learned.members}
        reserved = {install: uid for install, uid in self.reserved.items() if install not in installs}
        return replace(learned, reserved=reserved)


def hash_password(password: str) -> str:
    """Hash a password; a plain digest is enough for a file that only its owner reads."""
    return hashlib.sha256(password.encode()).hexdigest()


def password_matches(password: str, kept: str) -> bool:
    """Whether a password has this hash."""
    return hmac.compare_digest(hash_password(password), kept)
