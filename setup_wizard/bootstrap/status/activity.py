"""What a cluster is doing now: the maintenance of its nodes, and its running actions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import read_text
from setup_wizard.bootstrap.status.listed_nodes import MAX_NODES, read_uid

MAX_ACTIONS: Final = 1000
_ACTION_LISTS = ("actions", "state-machines", "state_machines")
_ENDED = frozenset({"completed", "failed", "cancelled"})  # "pending", "queued", "active" and new words are running


@dataclass(frozen=True, slots=True)
class MemberState:
    """What a cluster says about one node's part in it; `maintenance` names a snapshot of its maintenance, if any."""

    uid: str
    role: str = ""
    maintenance: str = ""

    @property
    def is_primary(self) -> bool:
        """Whether it is the cluster's primary node."""
        return self.role == "master"


@dataclass(frozen=True, slots=True)
class RunningAction:
    """An action of a cluster that has not ended; `object_name` and `node_uid` say what it works on, if known."""

    name: str
    status: str
    object_name: str = ""
    node_uid: str = ""

    @property
    def label(self) -> str:
        """The action in words: "SMCreateBDB on bdb:1"."""
        where = self.object_name or (f"node {self.node_uid}" if self.node_uid else "")
        return f"{self.name} on {where}" if where else self.name


def parse_member_states(document: object) -> tuple[MemberState, ...]:
    """Read the body of `GET /v1/nodes/status`: an object for each node, under its number.

    Raises:
        UnreadableAnswer: it is not an object.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/nodes/status/
    """
    if not isinstance(document, Mapping):
        raise UnreadableAnswer("the answer does not list the nodes' states")
    entries = list(document.items())[:MAX_NODES]
    return tuple(
        MemberState(uid, read_text(entry.get("role"), 60) or "", _maintenance(entry))
        for key, entry in entries
        if (uid := read_uid(key)) and isinstance(entry, Mapping)
    )


def parse_actions(document: object) -> tuple[RunningAction, ...]:
    """Read what runs out of the body of `GET /v1/actions`: its actions and its state machines.

    Raises:
        UnreadableAnswer: there is no list of them.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/actions/
    """
    if isinstance(document, Mapping):
        lists = [found for key in _ACTION_LISTS if isinstance(found := document.get(key), list)]
    else:
        lists = [document] if isinstance(document, list) else []
    if not lists:
        raise UnreadableAnswer("the answer does not list actions")
    return tuple(action for each in lists for action in _running(each))


def _running(entries: list[object]) -> Iterator[RunningAction]:
    for entry in entries[:MAX_ACTIONS]:
        if not isinstance(entry, Mapping):
            continue
        status = read_text(entry.get("status"), 60) or ""
        if status and status.lower() not in _ENDED:
            yield RunningAction(
                read_text(entry.get("name"), 80) or "an action",
                status,
                read_text(entry.get("object_name"), 80) or "",
                read_uid(entry.get("node_uid")),
            )


def _maintenance(entry: Mapping[object, object]) -> str:
    snapshot = entry.get("maintenance_snapshot")
    if not snapshot:
        return ""
    name = snapshot.get("name") if isinstance(snapshot, Mapping) else snapshot
    return read_text(name, 100) or "a maintenance snapshot"
