"""The nodes that an administrator listed for the home page."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import QuerySet

from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import cluster_members
from setup_wizard.attempts.models import Attempt
from setup_wizard.nodes import probing
from setup_wizard.wizard.node_summary import NodeSummary, summarize


@dataclass(frozen=True, slots=True)
class AvailableNode:
    """One listed node; after a check it has a `summary`, or a `failure` that says why it does not."""

    address: str
    summary: NodeSummary | None = None
    failure: str = ""
    cluster: Attempt | None = None  # the create or join of a node that others can join through
    latest: Attempt | None = None  # of this node

    @property
    def was_checked(self) -> bool:
        """Whether the node was probed, with or without an answer."""
        return bool(self.summary or self.failure)


def clusters(by: User) -> QuerySet[Attempt]:
    """Return the succeeded attempts that `by` may see: other nodes can join through theirs."""
    return visibility.visible_to(by, cluster_members())


def check(address: str, *, by: User) -> AvailableNode:
    """Probe one node."""
    try:
        summary = summarize(probing.probe_node(address, by=by))
    except probing.ProbeFailed as error:
        return AvailableNode(address, failure=error.message)
    latest = visibility.visible_to(by).filter(address=summary.probe.endpoint.key).first()
    return AvailableNode(address, summary, cluster=clusters(by).first(), latest=latest)
