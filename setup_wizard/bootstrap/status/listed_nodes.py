"""The nodes of a cluster, as its list shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import read_flag, read_number, read_text

MAX_NODES: Final = 1000
ACTIVE: Final = "active"
DOWN: Final = "down"
NODE_STATUSES: Final = frozenset({ACTIVE, DOWN, "provisioning", "decommissioning"})


@dataclass(frozen=True, slots=True)
class ListedNode:
    """One node in a cluster's list; `status` is one of `NODE_STATUSES`, or a new word.

    Of `addresses` the first is `addr`, the one inside the cluster. Sizes are bytes; what the list lacks is None or "".
    """

    uid: str
    status: str
    addresses: tuple[str, ...] = ()
    addr: str = ""
    software_version: str = ""
    rack_id: str = ""
    second_rack_id: str = ""
    cores: float | None = None
    total_memory: float | None = None
    flash_enabled: bool | None = None
    flash_size: float | None = None
    persistent_path: str = ""
    ephemeral_path: str = ""
    flash_path: str = ""
    accept_servers: bool | None = None

    @property
    def is_active(self) -> bool:
        """Whether it takes part in the cluster."""
        return self.status == ACTIVE

    @property
    def is_down(self) -> bool:
        """Whether the cluster has lost it."""
        return self.status == DOWN

    @property
    def is_changing(self) -> bool:
        """Whether it is just joining or leaving; an unknown word counts as that."""
        return not self.is_active and not self.is_down


def parse_nodes(document: object) -> tuple[ListedNode, ...]:
    """Read the body of `GET /v1/nodes`; entries without a uid or a status are left out.

    Raises:
        UnreadableAnswer: it is not a list.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/node/
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


def read_uid(value: object) -> str:
    """Give a node's number as text: an int in some answers, a text in others; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 <= value < 2**63 else None
    return read_text(value, 40) or ""


def _node(entry: object) -> ListedNode | None:
    if not isinstance(entry, Mapping):
        return None
    uid, status = read_uid(entry.get("uid")), read_text(entry.get("status"), 60)
    if not uid or not status:
        return None
    external = entry.get("external_addr")
    named = [entry.get("addr"), *(external[:64] if isinstance(external, list) else [])]
    return ListedNode(
        uid,
        status,
        tuple(address for each in named if (address := read_text(each, 60))),
        addr=read_text(entry.get("addr"), 60) or "",
        software_version=read_text(entry.get("software_version"), 60) or "",
        rack_id=read_text(entry.get("rack_id"), 63) or "",
        second_rack_id=read_text(entry.get("second_rack_id"), 63) or "",
        cores=read_number(entry.get("cores")),
        total_memory=read_number(entry.get("total_memory")),
        flash_enabled=read_flag(entry.get("bigstore_enabled")),
        flash_size=read_number(entry.get("bigstore_size")),
        persistent_path=read_text(entry.get("persistent_storage_path")) or "",
        ephemeral_path=read_text(entry.get("ephemeral_storage_path")) or "",
        flash_path=read_text(entry.get("bigredis_storage_path")) or "",
        accept_servers=read_flag(entry.get("accept_servers")),
    )
