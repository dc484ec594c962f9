"""What a cluster answers: its name, its nodes, and when it locks an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import read_text

MAX_NAME_LENGTH: Final = 255
MAX_NODES: Final = 1000
ACTIVE: Final = "active"
DOWN: Final = "down"
NODE_STATUSES: Final = frozenset({ACTIVE, DOWN, "provisioning", "decommissioning"})


@dataclass(frozen=True, slots=True)
class ListedNode:
    """One node in a cluster's list; `status` is one of `NODE_STATUSES`, or a new word."""

    uid: str
    status: str
    addresses: tuple[str, ...] = ()


def parse_cluster_name(document: object) -> str:
    """Read the name out of the body of `GET /v1/cluster`.

    Raises:
        UnreadableAnswer: there is none.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/cluster/
    """
    name = read_text(document.get("name"), MAX_NAME_LENGTH) if isinstance(document, Mapping) else None
    if not name:
        raise UnreadableAnswer("the answer has no cluster name")
    return name


@dataclass(frozen=True, slots=True)
class Lockout:
    """When a cluster locks an account: after `threshold` failed sign-ins within `window` seconds; 0 is never.

    None means that the cluster does not say.
    """

    threshold: int | None
    window: int | None


def parse_lockout(document: object) -> Lockout:
    """Read the lockout out of the body of `GET /v1/cluster/policy`.

    Raises:
        UnreadableAnswer: there is none.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/cluster/policy/
    """
    if not isinstance(document, Mapping) or (threshold := _count(document.get("login_lockout_threshold"))) is None:
        raise UnreadableAnswer("the answer has no lockout threshold")
    return Lockout(threshold, _count(document.get("login_lockout_counter_reset_after")))


def parse_nodes(document: object) -> tuple[ListedNode, ...]:
    """Read the body of `GET /v1/nodes`; entries without a uid or a status are left out.

    Raises:
        UnreadableAnswer: it is not a list.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/nodes/
    """
    if not isinstance(document, list):
        raise UnreadableAnswer("the answer is not a list of nodes")
    return tuple(node for entry in document[:MAX_NODES] if (node := _node(entry)))


def find_node(nodes: tuple[ListedNode, ...], uid: str, addresses: frozenset[str]) -> ListedNode | None:
    """Find a node in the list by its uid, or without one by an address that no other node has."""
    if uid:
        same = [node for node in nodes if node.uid == uid]
    else:
        same = [node for node in nodes if addresses.intersection(node.addresses)]
    return same[0] if len(same) == 1 else None


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are the same in DNS, which ignores case and a final dot."""
    return one.lower().rstrip(".") == other.lower().rstrip(".")


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return min(value, 2**31 - 1)


def _node(entry: object) -> ListedNode | None:
    if not isinstance(entry, Mapping):
        return None
    uid, status = entry.get("uid"), read_text(entry.get("status"), 60)
    if isinstance(uid, int) and not isinstance(uid, bool):
        uid = str(uid) if 0 <= uid < 2**63 else None
    text = read_text(uid, 40)
    if not text or not status:
        return None
    external = entry.get("external_addr")
    named = [entry.get("addr"), *(external[:64] if isinstance(external, list) else [])]
    return ListedNode(text, status, tuple(address for each in named if (address := read_text(each, 60))))
