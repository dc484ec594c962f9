"""The cluster's record as it lies in a server: one key for each thing that it knows.

    cluster    JSON: name, username, password (hash), created_time, rack_aware
    license    the text as it was given
    nodes      a hash, uid: JSON of the member
    databases  a hash, uid: JSON of a database, with its `shards_count`; no bootstrap writes it
    reserved   a hash, installation of a node that has been admitted and has not come yet: its uid
    epoch      how often the primary has changed
    primary    the uid of the member whose server leads

The secret that members know each other by is not in it: a file that was copied away must not open a running cluster.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from redis.asyncio.client import Pipeline

from setup_wizard.reference_node.membership import Cluster, Member, Membership

KEYS = ("cluster", "license", "nodes", "reserved", "epoch", "primary")
ALL_KEYS = (*KEYS, "databases")


@dataclass(frozen=True)
class Ledger:
    """The record without the view of one node."""

    cluster: Mapping[str, Any]
    members: tuple[Member, ...]
    epoch: int
    primary: int
    reserved: Mapping[str, int]

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Read what `ask` found; raises ValueError when it is not a record."""
        try:
            shards = sum(int(json.loads(database)["shards_count"]) for database in found["databases"].values())
            cluster = {**json.loads(found["cluster"]), "license": found["license"].decode(), "shards": shards}
            Cluster(**cluster, secret="")
            members = tuple(Member.parse(json.loads(entry)) for entry in found["nodes"].values())
            reserved = {install.decode(): int(uid) for install, uid in found["reserved"].items()}
            epoch, primary = int(found["epoch"]), int(found["primary"])
        except (AttributeError, KeyError, TypeError, UnicodeError) as error:
            raise ValueError(f"not a cluster's record: {type(error).__name__}") from None
        if not members:
            raise ValueError("not a cluster's record: there are no nodes in it")
        return cls(cluster, tuple(sorted(members, key=lambda member: member.uid)), epoch, primary, reserved)

    def seen_by(self, uid: int, secret: str) -> Membership:
        """The view of one node, which may still have to register; raises ValueError when the primary is missing."""
        if self.primary not in {member.uid for member in self.members}:
            raise ValueError(f"not a cluster's record: node {self.primary} is missing")
        cluster = Cluster(**self.cluster, secret=secret)
        return Membership(uid, cluster, self.members, self.epoch, self.primary, self.reserved)


def ask(pipeline: Pipeline) -> None:
    """Queue the questions for a record."""
    for key in ALL_KEYS:
        if key in {"nodes", "reserved", "databases"}:
            pipeline.hgetall(key)
        else:
            pipeline.get(key)


def write(pipeline: Pipeline, membership: Membership) -> None:
    """Queue everything that makes the record say what this membership does."""
    cluster = asdict(membership.cluster)
    del cluster["secret"], cluster["shards"]
    pipeline.delete(*KEYS)
    pipeline.set("license", cluster.pop("license"))
    pipeline.set("cluster", json.dumps(cluster))
    pipeline.hset("nodes", mapping={str(member.uid): json.dumps(member.kept()) for member in membership.members})
    if membership.reserved:
        pipeline.hset("reserved", mapping={install: str(uid) for install, uid in membership.reserved.items()})
    pipeline.set("epoch", str(membership.epoch))
    pipeline.set("primary", str(membership.primary))
