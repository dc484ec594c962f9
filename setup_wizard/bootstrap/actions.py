"""What can be asked of a node."""

from enum import StrEnum

from setup_wizard.bootstrap.status import NodeState


class Action(StrEnum):
    """What a bootstrap does with a node.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
    """

    CREATE = "create_cluster"
    JOIN = "join_cluster"
    RECOVER = "recover_cluster"

    @property
    def verb(self) -> str:
        """The one word for a button or a table cell."""
        return self.name.capitalize()

    @property
    def label(self) -> str:
        """The action in words: "Create a cluster"."""
        return f"{self.verb} a cluster"

    @property
    def makes_certificate(self) -> bool:
        """Whether the node makes a certificate of its own on the way; one that joins takes its cluster's."""
        return self is not Action.JOIN

    @property
    def path(self) -> str:
        """Where the request is posted."""
        return f"/v1/bootstrap/{self.value}"

    @property
    def check_path(self) -> str:
        """Where the request is posted to be checked only."""
        return f"/v1/bootstrap/validate/{self.value}"

    @property
    def running_state(self) -> NodeState:
        """The state that a node shows while it works on this action."""
        return {
            Action.CREATE: NodeState.CREATING_CLUSTER,
            Action.JOIN: NodeState.JOINING_CLUSTER,
            Action.RECOVER: NodeState.RECOVERING_CLUSTER,
        }[self]
