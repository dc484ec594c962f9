"""What is known when a bootstrap failed, read once and made safe: the texts only put it into sentences."""

import math
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
_LONGEST_EXTRA = 100
_DEFAULT_PORT = ":9443"


@dataclass(frozen=True, slots=True)
class FailedNode:
    """A cluster member that has failed, and where it stood."""

    uid: int
    rack: str = ""

    @property
    def label(self) -> str:
        """The node in words: "node 2 (rack-a)"."""
        return f"node {self.uid} ({self.rack})" if self.rack else f"node {self.uid}"


@dataclass(frozen=True, slots=True)
class Situation:
    """One failed bootstrap: the node's address, what was asked of it, what it answered and what it said of itself."""

    node: str
    request: Mapping[object, object]
    details: Mapping[object, object]
    facts: NodeFacts

    @property
    def action(self) -> Action | None:
        """What was asked of the node, None when that is not known."""
        word = self.request.get("action")
        return Action(word) if isinstance(word, str) and word in set(Action) else None

    @property
    def joins(self) -> bool:
        """Whether the node was to join a cluster that exists; a failure of an unknown request reads as a join."""
        return self.action in {Action.JOIN, None}

    @property
    def recovers(self) -> bool:
        """Whether the node was to bring a lost cluster back."""
        return self.action is Action.RECOVER

    @property
    def unmade(self) -> str:
        """What did not come about, as a sentence."""
        if self.joins:
            return "The node stayed out, and nothing on the cluster was changed."
        return "Nothing was recovered, and the file is as it was." if self.recovers else "The cluster was not made."

    @property
    def verb(self) -> str:
        """The action as a verb: "join"."""
        return (self.action or Action.JOIN).verb.lower()

    @property
    def cluster(self) -> str:
        """The cluster by its name, or "the cluster"."""
        return self.asked("cluster.name") or "the cluster"

    @property
    def opening(self) -> str:
        """The cluster at the beginning of a sentence; a name keeps its own case."""
        return self.asked("cluster.name") or "The cluster"

    @property
    def members(self) -> list[str]:
        """The members that the node was told to ask."""
        return _texts(self._asked("cluster.nodes"))

    @property
    def member(self) -> str:
        """The members in words, or the cluster where none is known."""
        return listed(self.members, "or") or self.cluster

    @property
    def port(self) -> str:
        """The port on which the node asks members."""
        port = read_number(self._asked("cnm_https_port"))
        return str(port or 9443)

    @property
    def replaces(self) -> int | None:
        """The dead member that the node was to replace, None when it was to be a new one."""
        return _uid(self._asked("node.identity.uid"))

    @property
    def message(self) -> str:
        """The node's own message, one visible line, "" when there is none."""
        return read_text(self.details.get("message"), MAX_MESSAGE_LENGTH) or ""

    def asked(self, path: str) -> str:
        """Give a text of the request by its path, "" when it is not there."""
        return read_text(self._asked(path)) or ""

    def words(self, *known: str) -> str:
        """Give a closing sentence with the node's own words: its message, and what else it added.

        The keys in `known` are left out, the text has used them already.
        """
        quoted = f" Node message: “{self.message.rstrip('.')}”." if self.message else ""
        extras = [
            f"{name} {value}"
            for key, item in list(self.details.items())[:50]
            if key not in {"message", *known} and (name := read_text(key, 40)) and (value := _scalar(item))
        ]
        return quoted + (f" The node adds: {', '.join(extras[:MAX_NAMED])}." if extras else "")

    def number(self, key: str) -> float | None:
        """Give a number of the details, None when it makes no sense."""
        return read_number(self.details.get(key))

    def racks(self, key: str = "current_rack_ids") -> list[str]:
        """Give the rack ids of the details that are rack ids, each once whatever its case."""
        return _racks(_texts(self.details.get(key)))

    @property
    def failed_nodes(self) -> list[FailedNode]:
        """The failed members that the details name, the one that the cluster would replace first."""
        items = self.details.get("failed_nodes")
        found: dict[int, FailedNode] = {}
        for item in items[:50] if isinstance(items, list | tuple) else ():
            entry = item if isinstance(item, Mapping) else {"uid": item}
            if (uid := _uid(entry.get("uid"))) is not None:
                racks = _racks(_texts([entry.get("rack_id")]))
                found.setdefault(uid, FailedNode(uid, *racks))
        return sorted(found.values(), key=lambda each: each.uid != self.candidate)

    @property
    def own_addresses(self) -> list[str]:
        """The addresses that the node has: from its error where it lists them, else from what it said of itself."""
        return _texts(self.details.get("available_addresses")) or [each.address for each in self.facts.addresses]

    @property
    def bridge_addresses(self) -> frozenset[str]:
        """Those of them that other machines cannot reach."""
        return frozenset(each.address for each in self.facts.addresses if each.is_bridge)

    @property
    def candidate(self) -> int | None:
        """The failed member that the cluster would have replaced first."""
        return _uid(self.details.get("replace_candidate"))

    def _asked(self, path: str) -> object:
        value: object = self.request
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def read_situation(details: object, request: object, node: object, facts: NodeFacts | None) -> Situation:
    """Take whatever came and make it safe to speak of; never raises."""
    return Situation(
        node=(read_text(node, _LONGEST_EXTRA) or "The node").removesuffix(_DEFAULT_PORT),
        request=request if isinstance(request, Mapping) else {},
        details=details if isinstance(details, Mapping) else {},
        facts=facts or NodeFacts(),
    )


def listed(words: Iterable[str], joint: str = "and") -> str:
    """Put words into a sentence: "rack-a, rack-b and rack-c", the first eight of them."""
    every = list(words)
    shown = every[:MAX_NAMED]
    if len(every) > MAX_NAMED:
        shown.append(f"{len(every) - MAX_NAMED} more")
    return f" {joint} ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if part)


def sized(amount: float | None) -> str:
    """Write an amount in bytes, or bare where the node counts in a unit that it does not name; "" for None."""
    if amount is None:
        return ""
    return format_size(amount) or f"{amount:,.0f}"


def compared(here: float | None, needed: float | None) -> str:
    """Put what is here beside what is needed: "7.7 GiB here, 16 GiB needed"."""
    if here is not None and needed is not None and bool(format_size(here)) != bool(format_size(needed)):
        here = None  # they are in different units, and side by side they would mislead
    parts = [f"{sized(here)} here" if here is not None else "", f"{sized(needed)} needed" if needed is not None else ""]
    return ", ".join(part for part in parts if part)


def read_word(value: object) -> str:
    """Read a short text, a number or a list of them as words for a sentence; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return str(value)
    if isinstance(value, list | tuple):
        return listed(word for item in value[:8] if (word := read_word(item)))
    return read_text(value, _LONGEST_EXTRA) or ""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return []
    return [text for item in value[:50] if (text := read_text(item, _LONGEST_EXTRA))]


def _racks(words: list[str]) -> list[str]:
    racks: dict[str, str] = {}
    for word in words:
        try:
            racks.setdefault(word.lower(), check_rack_id(word))
        except RuleError:
            continue  # what is no rack id cannot be offered as one
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
        return read_text(value, _LONGEST_EXTRA) or ""
    if isinstance(value, int | float):
        return f"{value:,.10g}" if math.isfinite(value) and abs(value) < MAX_NUMBER else ""
    return listed(_texts(value))
