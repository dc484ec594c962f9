"""What a node answers about its bootstrap, and what a cluster answers about its nodes."""

from setup_wizard.bootstrap.status.answers import (
    MAX_WORD_LENGTH,
    BootstrapAnswer,
    BootstrapStatus,
    is_code,
    is_time,
    parse_answer,
    parse_status,
)
from setup_wizard.bootstrap.status.cluster import (
    ACTIVE,
    DOWN,
    MAX_NAME_LENGTH,
    NODE_STATUSES,
    ListedNode,
    Lockout,
    find_node,
    parse_cluster_name,
    parse_lockout,
    parse_nodes,
    same_name,
)
from setup_wizard.bootstrap.status.errors import NotJson, UnreadableAnswer, parse_json
from setup_wizard.bootstrap.status.facts import NodeAddress, NodeFacts
from setup_wizard.bootstrap.status.states import NodeState

__all__ = [
    "ACTIVE",
    "DOWN",
    "MAX_NAME_LENGTH",
    "MAX_WORD_LENGTH",
    "NODE_STATUSES",
    "BootstrapAnswer",
    "BootstrapStatus",
    "ListedNode",
    "Lockout",
    "NodeAddress",
    "NodeFacts",
    "NodeState",
    "NotJson",
    "UnreadableAnswer",
    "find_node",
    "is_code",
    "is_time",
    "parse_answer",
    "parse_cluster_name",
    "parse_json",
    "parse_lockout",
    "parse_nodes",
    "parse_status",
    "same_name",
]
