"""What a node answers when it is asked how its bootstrap stands."""

from setup_wizard.bootstrap.status.answers import LONGEST_WORD, Answer, Status, parse_answer, parse_status
from setup_wizard.bootstrap.status.documents import NotAStatus, NotJson, parse_json
from setup_wizard.bootstrap.status.facts import NodeAddress, NodeFacts
from setup_wizard.bootstrap.status.states import State

__all__ = [
    "LONGEST_WORD",
    "Answer",
    "NodeAddress",
    "NodeFacts",
    "NotAStatus",
    "NotJson",
    "State",
    "Status",
    "parse_answer",
    "parse_json",
    "parse_status",
]
