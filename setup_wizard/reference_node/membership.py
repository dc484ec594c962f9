"""A cluster as one of its members knows it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Self

from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.lockout import LockoutPolicy


@dataclass(frozen=True)
class Cluster:
    """What all members share.

    `password` is a hash; `secret` is what members know each other by; `license` is the text as it was given; `shards`
    is how many those of its databases are together; `lockout_…` are the fields of a LockoutPolicy.
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
    """One node of the cluster. `install` tells two installations apart that were given the same address.

    `ccs_port` is where its store listens; `memory` and `flash` are bytes; `clock` is its time in seconds since 1970 as
    it sent this.
    """

    install: str
    uid: int
    addr: str
    port: int
    status: str = "provisioning"
    external_addr: tuple[str, ...] = ()
    rack_id: str = ""
    ccs_port: int = 0
    memory: int = 0
    flash: int = 0
    clock: float = 0.0
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
        """The form in which it is kept, and told to other members."""
        return {**asdict(self), "external_addr": list(self.external_addr)}

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what another member sent, or this one kept; raises ValueError."""
        match document:
            case {
                "install": str(install),
                "uid": int(uid),
                "addr": str(addr),
                "port": int(port),
                "status": str(status),
                "external_addr": list(external),
                "rack_id": str(rack),
                "ccs_port": int(ccs_port),
                "memory": int(memory),
                "flash": int(flash),
                "clock": float() | int() as clock,
                "socket_directory": str(socket_directory),
                "install_dir": str(install_dir),
                "config_dir": str(config_dir),
                "os_user": str(os_user),
                "facts": dict(facts),
            }:
                return cls(
                    install=install,
                    uid=uid,
                    addr=addr,
                    port=port,
                    status=status,
                    external_addr=tuple(map(str, external)),
                    rack_id=rack,
                    ccs_port=ccs_port,
                    memory=memory,
                    flash=flash,
                    clock=float(clock),
                    socket_directory=socket_directory,
                    install_dir=install_dir,
                    config_dir=config_dir,
                    os_user=os_user,
                    facts=facts,
                )
            case _:
                raise ValueError(f"a member has {', '.join(known.name for known in fields(cls))}")


@dataclass(frozen=True)
class Membership:
    """One node's place in its cluster, and the members that it knows of, itself among them.

    `primary` is the uid of the member whose store leads, `epoch` counts how often that has changed; `reserved` are the
    uids of nodes that have been admitted but have not come yet, by their installation.
    """

    uid: int
    cluster: Cluster
    members: tuple[Member, ...]
    epoch: int = 1
    primary: int = 1
    reserved: Mapping[str, int] = field(default_factory=dict)

    @property
    def own(self) -> Member:
        """This node."""
        return next(member for member in self.members if member.uid == self.uid)

    @property
    def leader(self) -> Member:
        """The member whose store leads."""
        return next(member for member in self.members if member.uid == self.primary)

    @property
    def leads(self) -> bool:
        """Whether that is this node."""
        return self.primary == self.uid

    @property
    def others(self) -> tuple[Member, ...]:
        """Everybody else."""
        return tuple(member for member in self.members if member.uid != self.uid)

    @property
    def next_uid(self) -> int:
        """The uid that the next node gets."""
        return max([member.uid for member in self.members] + list(self.reserved.values())) + 1

    def updated(self, news: Iterable[Member]) -> Self:
        """Take these entries in, over the ones of the same uid."""
        known = {member.uid: member for member in self.members} | {member.uid: member for member in news}
        return replace(self, members=tuple(known[uid] for uid in sorted(known)))

    def introduced(self, news: Iterable[Member]) -> Self:
        """Take in only members not known before: hearsay does not overrule what is known."""
        known = {member.uid for member in self.members}
        return self.updated(member for member in news if member.uid not in known)

    def reserving(self, install: str, uid: int) -> Self:
        """Keep a uid for a node that will come."""
        return replace(self, reserved={**self.reserved, install: uid})

    def registering(self, newcomer: Member, replaces: str | None) -> Self:
        """Take in a node that has come, in the place of the installation `replaces`, if it was to take a place.

        Raises BootstrapFailed when somebody else has taken it in between.
        """
        known = next((member for member in self.members if member.uid == newcomer.uid), None)
        if known is not None and known.install not in {newcomer.install, replaces}:
            message = f"Node {newcomer.uid} has been replaced by another node in the meantime"
            raise BootstrapFailed("config_error", message, field="node.identity.uid")
        reserved = {install: uid for install, uid in self.reserved.items() if install != newcomer.install}
        return replace(self.updated([newcomer]), reserved=reserved)

    def without(self, newcomer: Member, before: Member | None) -> Self:
        """Take a node out that had come, or was to come, and put back who had its place before."""
        reserved = {install: uid for install, uid in self.reserved.items() if install != newcomer.install}
        left = tuple(member for member in self.members if member.install != newcomer.install)
        has_left = len(left) < len(self.members)
        return replace(self, members=left, reserved=reserved).updated([before] if before and has_left else [])

    def led_by(self, primary: int, epoch: int) -> Self:
        """Follow another primary."""
        return replace(self, primary=primary, epoch=epoch)

    def is_older_than(self, epoch: int, primary: int) -> bool:
        """Whether who leads is news; of two that began to lead at once, the lower uid does."""
        return (self.epoch, -self.primary) < (epoch, -primary)

    def document(self) -> dict[str, object]:
        """The form in which it is kept, and handed to a node that joins."""
        return {
            "uid": self.uid,
            "cluster": asdict(self.cluster),
            "members": [member.kept() for member in self.members],
            "epoch": self.epoch,
            "primary": self.primary,
            "reserved": dict(self.reserved),
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read back what `document` made; raises ValueError."""
        match document:
            case {
                "uid": int(uid),
                "cluster": dict(cluster),
                "members": list(entries),
                "epoch": int(epoch),
                "primary": int(primary),
                "reserved": dict(reserved),
            }:
                members = tuple(Member.parse(entry) for entry in entries)
            case _:
                raise ValueError(f"a membership has {', '.join(known.name for known in fields(cls))}")
        if not {uid, primary} <= {member.uid for member in members}:
            raise ValueError("the node itself or the primary is not among the members")
        try:
            return cls(uid, Cluster(**cluster), members, epoch, primary, reserved)
        except TypeError as error:
            raise ValueError(f"not a cluster: {error}") from None
