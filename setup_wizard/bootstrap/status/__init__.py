"""What a node answers when it is asked how its bootstrap stands, and what its cluster says of itself."""

from setup_wizard.bootstrap.status.answers import (
    LONGEST_WORD,
    Answer,
    Status,
    is_code,
    is_time,
    parse_answer,
    parse_status,
)
from setup_wizard.bootstrap.status.documents import NotAStatus, NotJson, parse_json
from setup_wizard.bootstrap.status.facts import NodeAddress, NodeFacts
from setup_wizard.bootstrap.status.members import (
    ACTIVE,
    DOWN,
    LONGEST_NAME,
    NODE_WORDS,
    ListedNode,
    Lockout,
    find_node,
    parse_cluster_name,
    parse_lockout,
    parse_nodes,
    same_name,
)
from setup_wizard.bootstrap.status.states import State

__all__ = [
    "ACTIVE",
    "DOWN",
    "LONGEST_NAME",
    "LONGEST_WORD",
    "NODE_WORDS",
    "Answer",
    "ListedNode",
    "Lockout",
    "NodeAddress",
    "NodeFacts",
    "NotAStatus",
    "NotJson",
    "State",
    "Status",
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
