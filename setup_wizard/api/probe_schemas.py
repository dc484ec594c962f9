"""Request and response bodies of a probe."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from setup_wizard.api.schemas import NodeAddress, StrictSchema
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.nodes.probe import Probe


class ProbeIn(StrictSchema):
    """Which node to probe."""

    address: NodeAddress


class CertificateOut(Schema):
    """A certificate."""

    subject: str
    issuer: str
    not_before: datetime | None
    not_after: datetime | None
    self_signed: bool


class AddressOut(Schema):
    """One address of a node."""

    address: str
    format: str
    if_name: str
    private: bool | None
    is_bridge: bool


class NodeOut(Schema):
    """What a node reports about itself; null where it reports nothing. Sizes are as the node sends them, in bytes."""

    uid: str | None
    software_version: str | None
    os_version: str | None
    os_name: str | None
    os_family: str | None
    os_semantic_version: str | None
    architecture: str | None
    short_hostname: str | None
    cores: float | None
    total_memory: float | None
    uptime: float | None
    ephemeral_storage_path: str | None
    ephemeral_storage_size: float | None
    persistent_storage_path: str | None
    persistent_storage_size: float | None
    bigredis_storage_path: str | None
    bigredis_storage_size: float | None
    fips_enabled: bool | None
    addresses: list[AddressOut]
    supported_bigstore_drivers: list[str]


class ProbeOut(Schema):
    """A node that was probed."""

    address: str
    fingerprint: str
    certificate: CertificateOut
    state: str = Field(description="The node's status; `completed` for a cluster member that requires credentials.")
    node: NodeOut

    @classmethod
    def of(cls, probe: Probe) -> "ProbeOut":
        """Build it from a probe."""
        facts = probe.answer.node if probe.answer else NodeFacts()
        return cls.model_validate(
            {
                "address": str(probe.address),
                "fingerprint": probe.certificate.fingerprint,
                "certificate": probe.certificate.as_json(),
                "state": probe.answer.status.word if probe.answer else "completed",
                "node": facts.as_json(),
            }
        )
