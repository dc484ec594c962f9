"""The nodes that an administrator listed for the home page."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.attempts.models import Attempt
from setup_wizard.nodes import probing
from setup_wizard.wizard.node_summary import NodeSummary, summarize


@dataclass(frozen=True, slots=True)
class AvailableNode:
    """One listed node; after a check it has a `summary`, or a `failure` that says why it does not."""

    address: str
    summary: NodeSummary | None = None
    failure: str = ""
    join_through: Attempt | None = None  # the setup of a node that is in a cluster
    latest: Attempt | None = None  # of this node
    is_member: bool = False  # of a cluster, as far as its attempts tell: without asking it

    @property
    def was_checked(self) -> bool:
        """Whether the node was probed, with or without an answer."""
        return bool(self.summary or self.failure)


def listed(checked: AvailableNode | None = None) -> dict[str, list[AvailableNode]]:
    """Return the available nodes and those in a cluster, for a page; `checked` is one of them after its check."""
    addresses = settings.SETUP_WIZARD_NODES
    members = set(attempts_of_members().filter(address__in=addresses).values_list("address", flat=True))
    nodes = {address: AvailableNode(address, is_member=address in members) for address in addresses}
    if checked and checked.address in nodes:
        nodes[checked.address] = checked
    return {
        "available": [node for node in nodes.values() if not node.is_member],
        "members": [node for node in nodes.values() if node.is_member],
    }


def joinable(by: User) -> QuerySet[Attempt]:
    """Return the attempts, of those that `by` may see, whose node other nodes can join through."""
    return visibility.visible_to(by, attempts_of_members())


def check(address: str, *, by: User) -> AvailableNode:
    """Probe one node."""
    is_member = attempts_of_members().filter(address=address).exists()
    try:
        summary = summarize(probing.probe_node(address, by=by))
    except probing.ProbeFailed as error:
        return AvailableNode(address, failure=error.message, is_member=is_member)
    latest = visibility.visible_to(by).filter(address=summary.probe.endpoint.key).first()
    return AvailableNode(address, summary, join_through=joinable(by).first(), latest=latest, is_member=is_member)
