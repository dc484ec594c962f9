"""Where a bootstrap stands."""

from enum import StrEnum
from typing import Self


class NodeState(StrEnum):
    """Where a node says its bootstrap stands.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/
    """

    IDLE = "idle"
    INITIATED = "initiated"
    CREATING_CLUSTER = "creating_cluster"
    JOINING_CLUSTER = "joining_cluster"
    RECOVERING_CLUSTER = "recovering_cluster"
    ERROR = "error"
    COMPLETED = "completed"
    UNRECOGNISED = ""

    @classmethod
    def _missing_(cls, _value: object) -> Self:
        return cls.UNRECOGNISED  # a newer node may know words that we do not; the raw word is kept beside it

    @property
    def accepts_bootstrap(self) -> bool:
        """Whether the node takes a bootstrap request now."""
        return self in {NodeState.IDLE, NodeState.ERROR}

    @property
    def is_final(self) -> bool:
        """Whether the last bootstrap has ended, well or badly."""
        return self in {NodeState.ERROR, NodeState.COMPLETED}

    @property
    def is_running(self) -> bool:
        """Whether the node is at work; a word that we do not know counts as work."""
        return self is not NodeState.IDLE and not self.is_final

    @property
    def label(self) -> str:
        """The state in words; see `Status.label` for one that shows a word we do not know."""
        return {
            NodeState.IDLE: "Ready",
            NodeState.INITIATED: "Node has begun",
            NodeState.CREATING_CLUSTER: "Creating the cluster",
            NodeState.JOINING_CLUSTER: "Joining the cluster",
            NodeState.RECOVERING_CLUSTER: "Recovering the cluster",
            NodeState.ERROR: "Failed",
            NodeState.COMPLETED: "Completed",
            NodeState.UNRECOGNISED: "In progress",
        }[self]
