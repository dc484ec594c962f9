"""The DNS records that a cluster's name needs, and a check whether they are there.

Reference: https://redis.io/docs/latest/operate/rs/networking/cluster-dns/
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User

from setup_wizard.clusters.models import Plan
from setup_wizard.nodes.delegation import Delegation, find_name_servers, zone_of
from setup_wizard.wizard.delegation import ShownDelegation, look_up_name


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record: an absolute name, its type and its value."""

    name: str
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.value}"


@dataclass(frozen=True, slots=True)
class NamedNode:
    """A node that answers for the cluster's name: its ID and its addresses, the external ones if it has any."""

    uid: str
    addresses: Sequence[str]
    internal: str = ""


class DnsState(StrEnum):
    """What the look-up of a cluster's name found."""

    RIGHT = "right"
    NOT_DELEGATED = "not_delegated"
    UNANSWERED = "unanswered"
    STALE = "stale"
    INCOMPLETE = "incomplete"

    @property
    def label(self) -> str:
        """The result for people."""
        return _LABELS[self][0]

    @property
    def tone(self) -> str:
        """Its colour."""
        return "good" if self is DnsState.RIGHT else "warn"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _LABELS[self][1]

    @property
    def short(self) -> str:
        """The result in a word or two, for the facts of the cluster."""
        return _SHORT.get(self, self.value)


_SHORT = {
    DnsState.RIGHT: "delegated",
    DnsState.NOT_DELEGATED: "not delegated",
    DnsState.UNANSWERED: "no node answers",
}
_LABELS = {
    DnsState.RIGHT: ("All records are there", ""),
    DnsState.NOT_DELEGATED: (
        "Not delegated: no name server answers for this name",
        "Add the records below to the zone above it.",
    ),
    DnsState.UNANSWERED: (
        "Delegated, but no node answers yet",
        "The nodes answer once the cluster is up and port 53 is reachable.",
    ),
    DnsState.STALE: (
        "Stale: it still names a node that is gone",
        "Remove the records that are not in the list below.",
    ),
    DnsState.INCOMPLETE: ("Incomplete: records are missing", "Add the records below that are missing."),
}


@dataclass(frozen=True, slots=True)
class DnsFinding:
    """The result of a check, with the name servers that are missing and those that should not be there."""

    state: DnsState
    reason: str
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def records_of(name: str, nodes: Iterable[NamedNode], *, has_private: bool = False) -> list[DnsRecord]:
    """List the records that delegate a cluster's name to its nodes."""
    found: list[DnsRecord] = []
    zone = zone_of(name)
    nodes = list(nodes)
    for prefix in ("", "internal.") if has_private else ("",):
        found += [DnsRecord(f"{prefix}{zone}", "NS", f"node{node.uid}.{zone}") for node in nodes]
    for node in nodes:
        for address in node.addresses or [node.internal]:
            if kind := _kind(address):
                found.append(DnsRecord(f"node{node.uid}.{zone}", kind, address))
    return found


def records_of_plan(plan: Plan) -> list[DnsRecord]:
    """List the records of a cluster that is to be created: its nodes get their IDs in the order of the plan."""
    ips = {look.address: answer.endpoint.ip for look in plan.looks.all() if (answer := look.answer)}
    nodes = [
        NamedNode(str(number), node.external_addr or [node.addr or ips.get(node.address, "")])
        for number, node in enumerate(plan.content.nodes, start=1)
    ]
    return records_of(plan.content.cluster.name, nodes)


def look_up_before_start(plan: Plan, *, by: User) -> ShownDelegation:
    """Look up the name of a cluster that is to be created; takes 5 s at most, counted as a probe."""
    records = records_of_plan(plan)
    wanted = {record.value for record in records if record.kind == "NS"}
    return look_up_name(plan.content.cluster.name, wanted, as_zone_file(records), by=by)


def as_zone_file(records: Sequence[DnsRecord]) -> str:
    """Write the records as lines of a zone file."""
    width = max((len(record.name) for record in records), default=0)
    return "\n".join(f"{record.name:<{width}}  IN  {record.kind:<4}  {record.value}" for record in records)


def check(name: str, nodes: Iterable[NamedNode]) -> DnsFinding:
    """Look the name up and compare it with the nodes; takes 5 s at most."""
    zone = zone_of(name)
    wanted = {f"node{node.uid}.{zone}" for node in nodes}
    found = find_name_servers(name)
    if found.delegation is Delegation.NONE:
        return DnsFinding(DnsState.NOT_DELEGATED, found.reason)
    if found.delegation is not Delegation.NAMED:
        return DnsFinding(DnsState.UNANSWERED, found.reason)
    unknown, missing = tuple(sorted(found.names - wanted)), tuple(sorted(wanted - found.names))
    if unknown:
        return DnsFinding(DnsState.STALE, f"It names {', '.join(unknown)}.", missing, unknown)
    if missing:
        return DnsFinding(DnsState.INCOMPLETE, f"It does not name {', '.join(missing)}.", missing)
    return DnsFinding(DnsState.RIGHT, f"It names {len(wanted)} nodes.")


def _kind(address: str) -> str:
    try:
        return "AAAA" if ipaddress.ip_address(address).version == 6 else "A"
    except ValueError:
        return ""
