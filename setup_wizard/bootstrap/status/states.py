"""The states of a bootstrap."""

from enum import StrEnum
from typing import Self


class NodeState(StrEnum):
    """The state of a bootstrap, as the node reports it.

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
        return cls.UNRECOGNISED  # newer nodes may send new words; the status keeps the word itself

    @property
    def accepts_bootstrap(self) -> bool:
        """Whether the node accepts a bootstrap request now."""
        return self in {NodeState.IDLE, NodeState.ERROR}

    @property
    def is_final(self) -> bool:
        """Whether the last bootstrap has ended."""
        return self in {NodeState.ERROR, NodeState.COMPLETED}

    @property
    def is_running(self) -> bool:
        """Whether a bootstrap is running; an unknown word counts as running."""
        return self is not NodeState.IDLE and not self.is_final

    @property
    def label(self) -> str:
        """The state in words; `BootstrapStatus.label` shows an unknown word itself."""
        return {
            NodeState.IDLE: "Ready",
            NodeState.INITIATED: "Initiated",
            NodeState.CREATING_CLUSTER: "Creating the cluster",
            NodeState.JOINING_CLUSTER: "Joining the cluster",
            NodeState.RECOVERING_CLUSTER: "Recovering the cluster",
            NodeState.ERROR: "Failed",
            NodeState.COMPLETED: "Completed",
            NodeState.UNRECOGNISED: "In progress",
        }[self]
