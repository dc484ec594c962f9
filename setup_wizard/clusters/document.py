"""A plan: a whole cluster, described once. Pages, API and command line read it into these types.

It holds no credentials. A plan with `members` adds nodes to the cluster of these members, one with a recovery file
recovers a cluster, and any other creates one.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationError

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.errors import messages_of, pydantic_errors
from setup_wizard.bootstrap.request.fields import (
    Address,
    Addresses,
    ApiPort,
    ClusterName,
    License,
    Members,
    RackId,
    RecoveryFile,
    Uid,
    Username,
)
from setup_wizard.bootstrap.request.models import ClusterPolicy, DnsSuffix, Limits, Paths, RequestObject

MAX_NODES: Final = 50
"""The most nodes of one plan."""
SUPPORTED_NODES: Final = 35
"""The most nodes of a cluster that the vendor supports."""

NodeText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Fingerprint = Annotated[str, StringConstraints(strip_whitespace=True, max_length=130)]


class PlanKind(StrEnum):
    """What a plan does."""

    CREATE = "create"
    EXTEND = "extend"
    RECOVER = "recover"

    @property
    def label(self) -> str:
        """The plan for people."""
        return {"create": "New cluster", "extend": "More nodes", "recover": "Recovery"}[self.value]


OLD_MACHINES_OFF: Final = "The machines of the old cluster are off, and will be reinstalled before they start again"
"""What an operator confirms at the start of a recovery."""


class InvalidPlan(ValueError):
    """A document that is no plan; `fields` has the messages by the path of the field, such as "nodes.1.rack_id"."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__(f"invalid: {', '.join(sorted(fields))}")
        self.fields = dict(fields)


class PlannedCluster(RequestObject):
    """The new cluster; `name` of a recovery is that of the lost cluster, if it is known."""

    name: ClusterName = ""
    rack_aware: bool | None = None


class NodeDefaults(RequestObject):
    """What all nodes have in common."""

    paths: Paths = Paths()
    limits: Limits = Limits()
    bigstore_enabled: bool | None = None


class PlannedNode(RequestObject):
    """One node: where it is reached, the approved fingerprint of its certificate, and what only it has.

    `uid` is the node of the lost cluster that it replaces, for a recovery.
    """

    address: NodeText
    fingerprint: Fingerprint = ""
    addr: Address = ""
    external_addr: Addresses = ()
    rack_id: RackId = ""
    second_rack_id: RackId = ""
    uid: Uid | None = None
    accept_servers: bool | None = None
    paths: Paths = Paths()


class PlanDocument(RequestObject):
    """The whole plan; the first node creates or recovers the cluster, unless the cluster exists."""

    cluster: PlannedCluster = PlannedCluster()
    members: Members = ()
    member_fingerprint: Fingerprint = ""
    cnm_https_port: ApiPort | None = None
    recovery_filename: RecoveryFile = ""
    username: Username = ""
    license: License = Field(default="", repr=False)
    policy: ClusterPolicy = ClusterPolicy()
    dns_suffixes: Annotated[tuple[DnsSuffix, ...], Field(strict=False, max_length=16)] = ()
    defaults: NodeDefaults = NodeDefaults()
    nodes: Annotated[tuple[PlannedNode, ...], Field(strict=False, max_length=MAX_NODES)] = ()
    accept_new_certificate: bool = False

    @property
    def kind(self) -> PlanKind:
        """What the plan does."""
        if self.members:
            return PlanKind.EXTEND
        return PlanKind.RECOVER if self.recovery_filename else PlanKind.CREATE

    def action_of(self, position: int) -> Action:
        """The action of the node at this position."""
        if position or self.kind is PlanKind.EXTEND:
            return Action.JOIN
        return Action.RECOVER if self.kind is PlanKind.RECOVER else Action.CREATE

    def as_json(self) -> dict[str, object]:
        """Give the plan as the JSON that `read_document` reads, without unset fields."""
        return self.model_dump(mode="json", exclude_defaults=True)


def read_document(document: object) -> PlanDocument:
    """Read a plan; it may be incomplete.

    Raises:
        InvalidPlan: with every error and every unknown field.
    """
    if not isinstance(document, Mapping):
        raise InvalidPlan({"": ["A plan must be a JSON object."]})
    try:
        return PlanDocument.model_validate(document)
    except ValidationError as error:
        fields = messages_of(pydantic_errors(error), PlanDocument)
    raise InvalidPlan(fields)  # outside the handler, because pydantic's error contains the input
