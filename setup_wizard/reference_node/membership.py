"""A cluster as one of its members knows it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Self


@dataclass(frozen=True)
class Cluster:
    """What all members share. `password` is a hash; `secret` is what members know each other by."""

    name: str
    username: str
    password: str
    secret: str
    created_time: str
    rack_aware: bool = False

    def document(self) -> dict[str, object]:
        """The body of `GET /v1/cluster`."""
        return {"name": self.name, "rack_aware": self.rack_aware, "created_time": self.created_time}


@dataclass(frozen=True)
class Member:
    """One node of the cluster. `install` tells two installations apart that were given the same address."""

    install: str
    uid: int
    addr: str
    port: int
    status: str = "provisioning"
    external_addr: tuple[str, ...] = ()
    rack_id: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """One entry of `GET /v1/nodes`."""
        return {
            "uid": self.uid,
            "addr": self.addr,
            "external_addr": list(self.external_addr),
            "rack_id": self.rack_id,
            "status": self.status,
            **self.facts,
        }

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what another member sent, or this one kept; raises ValueError."""
        if not isinstance(document, dict):
            raise ValueError("a member is an object")
        try:
            member = cls(**{**document, "external_addr": tuple(document.get("external_addr", ()))})
        except TypeError as error:
            raise ValueError(f"not a member: {error}") from None
        if not isinstance(member.uid, int) or not isinstance(member.port, int) or not isinstance(member.addr, str):
            raise ValueError("a member has a uid, an address and a port")
        return member


@dataclass(frozen=True)
class Membership:
    """One node's place in its cluster, and the members that it knows of, itself among them."""

    uid: int
    cluster: Cluster
    members: tuple[Member, ...]

    @property
    def own(self) -> Member:
        """This node."""
        return next(member for member in self.members if member.uid == self.uid)

    @property
    def others(self) -> tuple[Member, ...]:
        """Everybody else."""
        return tuple(member for member in self.members if member.uid != self.uid)

    @property
    def next_uid(self) -> int:
        """The uid that the next node gets."""
        return max(member.uid for member in self.members) + 1

    def updated(self, news: Iterable[Member]) -> Self:
        """Take these entries in, over the ones of the same uid."""
        known = {member.uid: member for member in self.members} | {member.uid: member for member in news}
        return replace(self, members=tuple(known[uid] for uid in sorted(known)))

    def introduced(self, news: Iterable[Member]) -> Self:
        """Take in only members not known before: hearsay does not overrule what is known."""
        known = {member.uid for member in self.members}
        return self.updated(member for member in news if member.uid not in known)

    def document(self) -> dict[str, object]:
        """The form in which it is kept, and handed to a node that joins."""
        return asdict(self)

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read back what `document` made; raises ValueError."""
        try:
            if not isinstance(document, dict):
                raise TypeError("not an object")
            membership = cls(
                int(document["uid"]),
                Cluster(**document["cluster"]),
                tuple(Member.parse(member) for member in document["members"]),
            )
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a membership: {error}") from None
        if all(member.uid != membership.uid for member in membership.members):
            raise ValueError("not a membership: the node itself is missing")
        return membership
