"""The nodes that an administrator listed for the home page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import (
    attempts_of_members,
    replaced_addresses,
    replacement_of,
    set_up_addresses,
)
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.live import part_of
from setup_wizard.nodes import probing
from setup_wizard.wizard.node_summary import NodeSummary, summarize


class Place(StrEnum):
    """The list of a page in which a node stands, as far as its setups tell: without asking it."""

    AVAILABLE = "available"
    MEMBERS = "members"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class AvailableNode:
    """One listed node; after a check it has a `summary`, or a `failure` that says why it does not."""

    address: str
    place: Place
    was_set_up: bool = False  # once: it is not offered before it says itself that it is free
    summary: NodeSummary | None = None
    failure: str = ""
    join_through: Attempt | None = None  # the setup of a node that is in a cluster
    latest: Attempt | None = None  # of this node
    succeeded: Attempt | None = None  # the last one of this node that did
    replaced_by: Attempt | None = None
    cluster_url: str = ""  # the page of the cluster that it is or was in

    @property
    def was_checked(self) -> bool:
        """Whether the node was probed, with or without an answer."""
        return bool(self.summary or self.failure)


def listed(checked: AvailableNode | None = None) -> Mapping[str, Sequence[AvailableNode]]:
    """Return the listed nodes by the list in which they stand, for a page; `checked` is one of them after its check."""
    nodes = {node.address: node for node in _unchecked(settings.SETUP_WIZARD_NODES)}
    if checked and checked.address in nodes:
        nodes[checked.address] = checked
    return {place.value: [node for node in nodes.values() if node.place is place] for place in Place}


def joinable(by: User) -> QuerySet[Attempt]:
    """Return the attempts, of those that `by` may see, whose node other nodes can join through."""
    return visibility.visible_to(by, attempts_of_members())


def check(address: str, *, by: User) -> AvailableNode:
    """Probe one node."""
    (node,) = _unchecked([address])
    own = visibility.visible_to(by).filter(address=address)
    succeeded = own.filter(state=State.SUCCEEDED).first()
    replaced_by = replacement_of(succeeded) if succeeded and node.place is Place.REPLACED else None
    shown = replaced_by or succeeded
    node = replace(
        node,
        succeeded=succeeded,
        replaced_by=replaced_by,
        cluster_url=part_of.find(shown).cluster_url if shown else "",
    )
    try:
        summary = summarize(probing.probe_node(address, by=by))
    except probing.ProbeFailed as error:
        return replace(node, failure=error.message)
    latest = visibility.visible_to(by).filter(address=summary.probe.endpoint.key).first()
    return replace(node, summary=summary, join_through=joinable(by).first(), latest=latest)


def _unchecked(addresses: Sequence[str]) -> list[AvailableNode]:
    set_up, replaced = set_up_addresses(addresses), replaced_addresses(addresses)
    succeeded = Attempt.objects.filter(state=State.SUCCEEDED, address__in=addresses)
    once = set(succeeded.values_list("address", flat=True))

    def place(address: str) -> Place:
        if address not in set_up:
            return Place.AVAILABLE
        return Place.REPLACED if address in replaced else Place.MEMBERS

    return [AvailableNode(address, place(address), was_set_up=address in once) for address in addresses]
