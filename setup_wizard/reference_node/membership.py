"""A cluster as one of its members knows it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from setup_wizard.reference_node.lockout import LockoutPolicy
from setup_wizard.reference_node.passwords import password_matches


@dataclass(frozen=True)
class Cluster:
    """What all members share.

    `password` is a hash; `secret` authenticates members to each other; `license` is the text as it was sent; `shards`
    is the number of shards of all databases; `lockout_…` are the fields of a LockoutPolicy.
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
    lockout_threshold: int = 5
    lockout_reset_after: int = 900
    lockout_duration: int = 1800

    @property
    def lockout(self) -> LockoutPolicy:
        """When it locks an account."""
        return LockoutPolicy(self.lockout_threshold, self.lockout_reset_after, self.lockout_duration)

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
            "mtls_certificate_authentication": False,
            "password_complexity": False,
            "password_min_length": 8,
            "upgrade_in_progress": False,
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
        """Whether it does not answer, or has failed for good."""
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

    def kept(self) -> dict[str, object]:
        """As it is stored, and sent to other members."""
        return {**asdict(self), "external_addr": list(self.external_addr)}

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Read what `kept` returned; raises ValueError."""
        kinds: dict[str, type | tuple[type, ...]] = dict.fromkeys((each.name for each in fields(cls)), str)
        kinds |= dict.fromkeys(("uid", "port", "memory", "flash"), int)
        kinds |= {"joined_at": (int, float), "external_addr": list, "facts": dict}
        values: dict[str, Any] = {name: document.get(name) for name in kinds} if isinstance(document, dict) else {}
        if not values or not all(isinstance(values[name], kind) for name, kind in kinds.items()):
            raise ValueError(f"a member has {', '.join(kinds)}")
        return cls(**{**values, "external_addr": tuple(map(str, values["external_addr"]))})


@dataclass(frozen=True)
class Membership:
    """One node's cluster and all members that it knows, itself included.

    `reserved` has the uids of nodes that were admitted and have not joined yet, by their installation.
    """

    uid: int
    cluster: Cluster
    members: tuple[Member, ...]
    reserved: Mapping[str, int] = field(default_factory=dict)

    @property
    def own(self) -> Member:
        """This node."""
        return next(member for member in self.members if member.uid == self.uid)

    @property
    def others(self) -> tuple[Member, ...]:
        """All members but this node."""
        return tuple(member for member in self.members if member.uid != self.uid)

    @property
    def next_uid(self) -> int:
        """The uid for the next node."""
        return max([member.uid for member in self.members] + list(self.reserved.values())) + 1

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

    def document(self) -> dict[str, object]:
        """As it is stored, and sent to a node that joins."""
        return {
            "uid": self.uid,
            "cluster": asdict(self.cluster),
            "members": [member.kept() for member in self.members],
            "reserved": dict(self.reserved),
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what `document` returned; raises ValueError."""
        match document:
            case {"uid": int(uid), "cluster": dict(cluster), "members": list(entries), "reserved": dict(reserved)}:
                members = tuple(map(Member.parse, entries))
            case _:
                raise ValueError("a membership has uid, cluster, members and reserved")
        if uid not in {member.uid for member in members}:
            raise ValueError("the node itself is not among the members")
        try:
            return cls(uid, Cluster(**cluster), members, reserved)
        except TypeError as error:
            raise ValueError(f"not a cluster: {error}") from None
