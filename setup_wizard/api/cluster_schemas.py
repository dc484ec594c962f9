"""Response bodies of clusters."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from setup_wizard.api.schemas import ROOT
from setup_wizard.clusters.cluster_page import ClusterPage
from setup_wizard.clusters.dns import DnsRecord, DnsState
from setup_wizard.clusters.models import ClusterNode


class ClusterNodeOut(Schema):
    """One node of a cluster, as it was last seen."""

    uid: str = Field(description="Its ID in the cluster.")
    address: str = Field(description="The address of its API, or its internal address if it was not set up here.")
    rack_id: str
    version: str
    status: str = Field(description="Its status in the cluster's list of nodes, such as `active` or `down`.")
    seen_at: datetime = Field(description="When the status was read.")

    @classmethod
    def of(cls, node: ClusterNode) -> "ClusterNodeOut":
        """Build it from a node."""
        return cls(
            uid=node.uid,
            address=node.address or node.addr,
            rack_id=node.rack_id,
            version=node.version,
            status=node.status,
            seen_at=node.seen_at,
        )


class ClusterOut(Schema):
    """A cluster and its nodes, without those that are gone."""

    id: UUID
    url: str = Field(description="Its URL, without the host.")
    name: str
    fingerprint: str = Field(description="The fingerprint of the certificate that its nodes show.")
    checked_at: datetime | None = Field(description="When it was last asked for its nodes; null if it never was.")
    nodes: list[ClusterNodeOut]

    @classmethod
    def of(cls, page: ClusterPage) -> "ClusterOut":
        """Build it from what the page of the cluster shows."""
        cluster = page.cluster
        return cls(
            id=cluster.pk,
            url=f"{ROOT}/clusters/{cluster.pk}",
            name=cluster.name,
            fingerprint=cluster.fingerprint,
            checked_at=cluster.checked_at,
            nodes=[ClusterNodeOut.of(node) for node in page.nodes],
        )


class ClustersOut(Schema):
    """All clusters."""

    results: list[ClusterOut]


class DnsRecordOut(Schema):
    """One DNS record."""

    name: str = Field(description="The absolute name, with a dot at its end.")
    type: Literal["NS", "A", "AAAA"]
    value: str

    @classmethod
    def of(cls, record: DnsRecord) -> "DnsRecordOut":
        """Build it from a record."""
        return cls.model_validate({"name": record.name, "type": record.kind, "value": record.value})


class DnsCheckOut(Schema):
    """What a check of the records found."""

    state: Literal[*DnsState]  # type: ignore[valid-type]
    reason: str = Field(description="What was found, for people.")
    missing: list[str] = Field(description="The name servers that the name does not have.")
    checked_at: datetime | None


class DnsOut(Schema):
    """The DNS records that the name of a cluster needs, and what the last check of them found."""

    records: list[DnsRecordOut]
    check: DnsCheckOut | None = Field(description="The last check; null before the first.")

    @classmethod
    def of(cls, page: ClusterPage) -> "DnsOut":
        """Build it from what the page of the cluster shows."""
        found, state = page.cluster.dns, page.dns_state
        check = (
            DnsCheckOut(
                state=state.value,
                reason=found["reason"],
                missing=found["missing"],
                checked_at=page.cluster.dns_checked_at,
            )
            if state
            else None
        )
        return cls(records=[DnsRecordOut.of(record) for record in page.records], check=check)
