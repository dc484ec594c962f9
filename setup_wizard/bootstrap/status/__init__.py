"""What a node answers about its bootstrap, and what a cluster answers about its nodes."""

from setup_wizard.bootstrap.status.activity import MemberState, RunningAction, parse_actions, parse_member_states
from setup_wizard.bootstrap.status.answers import (
    MAX_WORD_LENGTH,
    BootstrapAnswer,
    BootstrapStatus,
    BootstrapWarning,
    is_code,
    is_time,
    parse_answer,
    parse_status,
)
from setup_wizard.bootstrap.status.cluster import (
    MAX_NAME_LENGTH,
    ClusterFacts,
    LicenseFacts,
    Lockout,
    Module,
    parse_cluster,
    parse_license,
    parse_lockout,
    parse_modules,
    same_name,
)
from setup_wizard.bootstrap.status.cluster_check import NodeProblem, parse_cluster_check
from setup_wizard.bootstrap.status.errors import NotJson, UnreadableAnswer, parse_json
from setup_wizard.bootstrap.status.facts import NodeAddress, NodeFacts
from setup_wizard.bootstrap.status.listed_nodes import (
    ACTIVE,
    DOWN,
    NODE_STATUSES,
    ListedNode,
    find_node,
    parse_nodes,
)
from setup_wizard.bootstrap.status.states import NodeState

__all__ = [
    "ACTIVE",
    "DOWN",
    "MAX_NAME_LENGTH",
    "MAX_WORD_LENGTH",
    "NODE_STATUSES",
    "BootstrapAnswer",
    "BootstrapStatus",
    "BootstrapWarning",
    "ClusterFacts",
    "LicenseFacts",
    "ListedNode",
    "Lockout",
    "MemberState",
    "Module",
    "NodeAddress",
    "NodeFacts",
    "NodeProblem",
    "NodeState",
    "NotJson",
    "RunningAction",
    "UnreadableAnswer",
    "find_node",
    "is_code",
    "is_time",
    "parse_actions",
    "parse_answer",
    "parse_cluster",
    "parse_cluster_check",
    "parse_json",
    "parse_license",
    "parse_lockout",
    "parse_member_states",
    "parse_modules",
    "parse_nodes",
    "parse_status",
    "same_name",
]
