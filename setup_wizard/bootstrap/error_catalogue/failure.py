"""What is known about a failed bootstrap, made safe to show, and the phrases that explanations share."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.rules import RuleError, check_rack_id
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.bootstrap.status.facts import MAX_NUMBER, read_number, read_text

MAX_NAMED: Final = 8
MAX_MESSAGE_LENGTH: Final = 400
_MAX_DETAIL_LENGTH = 100
_DEFAULT_PORT = ":9443"


@dataclass(frozen=True, slots=True)
class FailedNode:
    """A failed cluster member and its rack."""

    uid: int
    rack: str = ""

    @property
    def label(self) -> str:
        """The node in words: "node 2 (rack-a)"."""
        return f"node {self.uid} ({self.rack})" if self.rack else f"node {self.uid}"


@dataclass(frozen=True, slots=True)
class BootstrapFailure:
    """One failed bootstrap: the request, the details of the node's error, and the node's facts.

    `node` is the address that a sentence begins with, or "The node" when it is unknown.
    """

    node: str
    request: Mapping[object, object]
    details: Mapping[object, object]
    facts: NodeFacts

    @property
    def host(self) -> str:
        """The node's address without its port."""
        return re.sub(r"(?<=[^:]):\d+$", "", self.node).strip("[]")

    @property
    def action(self) -> Action | None:
        """The requested action, None when it is unknown."""
        word = self.request.get("action")
        return Action(word) if isinstance(word, str) and word in set(Action) else None

    @property
    def joins(self) -> bool:
        """Whether the node was to join an existing cluster; an unknown request counts as a join."""
        return self.action in {Action.JOIN, None}

    @property
    def creates(self) -> bool:
        """Whether the node was to create a cluster."""
        return self.action is Action.CREATE

    @property
    def recovers(self) -> bool:
        """Whether the node was to recover a lost cluster."""
        return self.action is Action.RECOVER

    @property
    def result(self) -> str:
        """What the failure left behind, as a sentence."""
        if self.joins:
            return "The node did not join, and the cluster is unchanged."
        return "Nothing was recovered, and the file is unchanged." if self.recovers else "The cluster was not created."

    @property
    def verb(self) -> str:
        """The action as a verb: "join"."""
        return (self.action or Action.JOIN).verb.lower()

    @property
    def cluster(self) -> str:
        """The cluster's name, or "the cluster"."""
        return self.requested("cluster.name") or "the cluster"

    @property
    def cluster_capitalised(self) -> str:
        """The cluster at the beginning of a sentence; a name keeps its case."""
        return self.requested("cluster.name") or "The cluster"

    @property
    def members(self) -> list[str]:
        """The members named in the request."""
        return _texts(self._requested_value("cluster.nodes"))

    @property
    def members_in_words(self) -> str:
        """The members in words, or the cluster when none is named."""
        return join_words(self.members, "or") or self.cluster

    @property
    def page(self) -> str:
        """The URL of the cluster's own page."""
        host = self.members[0] if self.members else self.requested("cluster.name") or "the-cluster"
        return f"https://[{host}]:8443" if ":" in host else f"https://{host}:8443"

    @property
    def port(self) -> str:
        """The port of the members' API."""
        port = read_number(self._requested_value("cnm_https_port"))
        return str(port or 9443)

    @property
    def replaces(self) -> int | None:
        """The failed node that this one was to replace, None for a new node."""
        return _uid(self._requested_value("node.identity.uid"))

    @property
    def uses_flash(self) -> bool:
        """Whether the request turns flash storage on."""
        names = ("node.paths.bigstore_path", "node.bigstore_enabled", "node.bigstore_driver")
        return any(self._requested_value(name) for name in names)

    @property
    def message(self) -> str:
        """The node's own message, one visible line, "" when there is none."""
        return read_text(self.details.get("message"), MAX_MESSAGE_LENGTH) or ""

    def requested(self, path: str) -> str:
        """Give a text of the request by its path, "" when it is not there."""
        return read_text(self._requested_value(path)) or ""

    def closing_sentences(self, *mentioned: str) -> str:
        """Give closing sentences with the node's message and its other details, except those that `mentioned` names."""
        quoted = f" Node message: “{self.message.rstrip('.')}”." if self.message else ""
        extras = [
            f"{name} {value}"
            for key, item in list(self.details.items())[:50]
            if key not in {"message", *mentioned} and (name := read_text(key, 40)) and (value := _scalar(item))
        ]
        return quoted + (f" The node adds: {', '.join(extras[:MAX_NAMED])}." if extras else "")

    def number(self, key: str) -> float | None:
        """Give a number from the details, None when it is missing or makes no sense."""
        return read_number(self.details.get(key))

    def signed_number(self, key: str) -> float | None:
        """Give a number from the details that can be negative, None when it is missing or makes no sense."""
        value = self.details.get(key)
        if isinstance(value, int | float) and value < 0:
            number = read_number(-value)
            return None if number is None else -number
        return read_number(value)

    def text(self, key: str) -> str:
        """Give a short text from the details, "" when it is missing."""
        return read_text(self.details.get(key), _MAX_DETAIL_LENGTH) or ""

    def entries(self, key: str) -> list[Mapping[object, object]]:
        """Give the objects of a list in the details, a few at most."""
        items = self.details.get(key)
        return [item for item in items[:MAX_NAMED] if isinstance(item, Mapping)] if isinstance(items, list) else []

    @property
    def replaceable(self) -> list[int]:
        """The nodes of the cluster that this one could stand for: failed ones, or those of a recovery file."""
        items = self.details.get("uids")
        from_file = [uid for item in items[:50] if (uid := _uid(item))] if isinstance(items, list) else []
        return [each.uid for each in self.failed_nodes] or from_file

    def racks(self, key: str = "current_rack_ids") -> list[str]:
        """Give the valid rack IDs in the details, without duplicates that differ in case only."""
        return _racks(_texts(self.details.get(key)))

    @property
    def failed_nodes(self) -> list[FailedNode]:
        """The failed members in the details, the one to replace first at the front."""
        items = self.details.get("failed_nodes")
        found: dict[int, FailedNode] = {}
        for item in items[:50] if isinstance(items, list | tuple) else ():
            entry = item if isinstance(item, Mapping) else {"uid": item}
            if (uid := _uid(entry.get("uid"))) is not None:
                racks = _racks(_texts([entry.get("rack_id")]))
                found.setdefault(uid, FailedNode(uid, *racks))
        return sorted(found.values(), key=lambda each: each.uid != self.candidate)

    @property
    def foreign_address(self) -> str:
        """The requested internal address when the node lists others only, "" otherwise."""
        address = self.requested("node.identity.addr")
        return address if self.own_addresses and address not in self.own_addresses else ""

    @property
    def usable_addresses(self) -> list[str]:
        """The addresses of the node that other machines can reach, without the requested one."""
        given = self.requested("node.identity.addr")
        return [each for each in self.own_addresses if each not in {given, *self.bridge_addresses}]

    @property
    def own_addresses(self) -> list[str]:
        """The addresses of the node: from its error, or else from its facts."""
        return _texts(self.details.get("available_addresses")) or [each.address for each in self.facts.addresses]

    @property
    def bridge_addresses(self) -> frozenset[str]:
        """The addresses of the node that other machines cannot reach."""
        return frozenset(each.address for each in self.facts.addresses if each.is_bridge)

    @property
    def candidate(self) -> int | None:
        """The failed member that the cluster suggests to replace first."""
        return _uid(self.details.get("replace_candidate"))

    def _requested_value(self, path: str) -> object:
        value: object = self.request
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def read_failure(details: object, request: object, node: object, facts: NodeFacts | None) -> BootstrapFailure:
    """Read a failure out of whatever the node sent; never raises."""
    return BootstrapFailure(
        node=(read_text(node, _MAX_DETAIL_LENGTH) or "The node").removesuffix(_DEFAULT_PORT),
        request=request if isinstance(request, Mapping) else {},
        details=details if isinstance(details, Mapping) else {},
        facts=facts or NodeFacts(),
    )


def join_words(words: Iterable[str], conjunction: str = "and") -> str:
    """Write a list for a sentence, at most eight of it: "rack-a, rack-b and rack-c"."""
    every = list(words)
    shown = every[:MAX_NAMED]
    if len(every) > MAX_NAMED:
        shown.append(f"{len(every) - MAX_NAMED} more")
    return f" {conjunction} ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part)


def write_sizes(here: float | None, needed: float | None) -> tuple[str, str]:
    """Write both sizes: ("7.7 GiB", "16 GiB"); "" for an unknown one."""
    if here is not None and needed is not None and bool(format_size(here)) != bool(format_size(needed)):
        here = None  # they are in different units, and side by side they would mislead
    # an amount in a unit that the node does not name is shown bare
    first, second = ("" if n is None else format_size(n) or f"{n:,.0f}" for n in (here, needed))
    return first, second


def read_word(value: object) -> str:
    """Read a short text, a number, or a list of both as words for a sentence; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return str(value)
    if isinstance(value, list | tuple):
        return join_words(word for item in value[:8] if (word := read_word(item)))
    return read_text(value, _MAX_DETAIL_LENGTH) or ""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return []
    return [text for item in value[:50] if (text := read_text(item, _MAX_DETAIL_LENGTH))]


def _racks(words: list[str]) -> list[str]:
    racks: dict[str, str] = {}
    for word in words:
        try:
            racks.setdefault(word.lower(), check_rack_id(word))
        except RuleError:
            continue
    return list(racks.values())


def _uid(value: object) -> int | None:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return None
    number = read_number(value)
    return int(number) if number is not None and number == int(number) and 0 < number < 10**9 else None


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return read_text(value, _MAX_DETAIL_LENGTH) or ""
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) < MAX_NUMBER else ""  # false for NaN, too
    return join_words(_texts(value))
