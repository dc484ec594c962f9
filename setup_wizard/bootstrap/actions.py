"""The actions that a node can bootstrap with."""

from enum import StrEnum


class Action(StrEnum):
    """What a bootstrap does with a node.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
    """

    CREATE = "create_cluster"
    JOIN = "join_cluster"
    RECOVER = "recover_cluster"

    @property
    def verb(self) -> str:
        """The action in one word, for a button or a table cell."""
        return self.name.capitalize()

    @property
    def done(self) -> str:
        """The action in one word, once it has succeeded: "Joined"."""
        return {"CREATE": "Created", "JOIN": "Joined", "RECOVER": "Recovered"}[self.name]

    @property
    def label(self) -> str:
        """The action in words: "Create a cluster"."""
        return f"{self.verb} a cluster"

    @property
    def makes_certificate(self) -> bool:
        """Whether the node creates a certificate of its own; a joining node takes its cluster's."""
        return self is not Action.JOIN

    @property
    def path(self) -> str:
        """The path to post the request to."""
        return f"/v1/bootstrap/{self.value}"

    @property
    def check_path(self) -> str:
        """The path to post the request to for a check only."""
        return f"/v1/bootstrap/validate/{self.value}"
