"""The cluster's own check of its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import read_text
from setup_wizard.bootstrap.status.listed_nodes import MAX_NODES, read_uid

MAX_PROBLEM_LENGTH: Final = 300
_OF_THE_HOST: Final = (
    "capabilities",
    "host_settings",
    "overcommit_memory",
    "pidfiles",
    "port_range",
    "somaxconn",
    "transparent_hugepage",
)


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """The first check that a node failed, in the cluster's words."""

    uid: str
    text: str

    @property
    def is_about_host(self) -> bool:
        """Whether it is a setting of the machine, which does not stop a node from working."""
        return any(word in self.text.lower() for word in _OF_THE_HOST)


def parse_cluster_check(document: object) -> tuple[NodeProblem, ...]:
    """Read the problems out of the body of `GET /v1/cluster/check`; the cluster names one for each node at most.

    Raises:
        UnreadableAnswer: it has no result.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/cluster/check/
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("cluster_test_result"), bool):
        raise UnreadableAnswer("the answer has no cluster_test_result")
    if document["cluster_test_result"]:
        return ()
    listed = document.get("nodes")
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    problems = tuple(
        NodeProblem(
            read_uid(entry.get("node_uid")) or "", read_text(entry.get("error"), MAX_PROBLEM_LENGTH) or "failed"
        )
        for entry in entries[:MAX_NODES]
        if entry.get("result") is not True
    )
    return problems or (NodeProblem("", "failed"),)
