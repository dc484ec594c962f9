"""What the command of `host_snippet.py` printed on the nodes, read from text that an operator pasted."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from setup_wizard.clusters.fingerprints import read_fingerprints

MAX_PASTED: Final = 512 * 1024
MAX_NODES: Final = 100
MAX_LINE: Final = 600
MAX_LINES: Final = 1000  # of one node
_FIRST: Final = re.compile(r"host-facts (\S{1,20})")
_WORD: Final = re.compile(r"[\w.:/%+-]{1,255}", re.ASCII)
"""A word that may stand in a command that we show: nothing that a shell would read otherwise."""
_VERSION: Final = "1"


class HostFactsInvalid(ValueError):
    """The pasted text cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PathFacts:
    """One path: "there" or "missing", then owner, file system and mount of it or of what is above it."""

    state: str
    owner: str
    kind: str
    mount: str
    path: str


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """One port of a node as seen from another: "open", "refused", "closed" or "unknown"."""

    state: str
    host: str
    port: str


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What one node printed; what it could not read is "unknown"."""

    fingerprint: str
    values: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[PathFacts, ...] = ()
    peers: tuple[PeerFacts, ...] = ()

    def value(self, name: str) -> str:
        """Give one value."""
        return self.values.get(name) or "unknown"

    def as_json(self) -> dict[str, object]:
        """Give it as JSON for `from_json`."""
        return {
            "fingerprint": self.fingerprint,
            "values": dict(self.values),
            "paths": [asdict(each) for each in self.paths],
            "peers": [asdict(each) for each in self.peers],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "HostFacts":
        """Read what `as_json` returned, from our own database."""
        stored: dict[str, list[dict[str, str]]] = {}
        for name in ("paths", "peers"):
            found = document.get(name)
            stored[name] = found if isinstance(found, list) else []
        values = document.get("values")
        return cls(
            str(document.get("fingerprint", "")),
            {str(name): str(text) for name, text in values.items()} if isinstance(values, dict) else {},
            tuple(PathFacts(**each) for each in stored["paths"]),
            tuple(PeerFacts(**each) for each in stored["peers"]),
        )


def read_host_facts(text: str) -> list[HostFacts]:
    """Read the output of all nodes.

    Raises:
        HostFactsInvalid: it is too long, has no output of the command, or that of another version, or is cut off.
    """
    if len(text) > MAX_PASTED:
        raise HostFactsInvalid("The text is too long. Paste only what the command for the hosts printed.")
    blocks = list(_blocks(text))
    if not blocks:
        raise HostFactsInvalid("No output of the command was found: each node begins with `host-facts 1`. Paste all.")
    if len(blocks) > MAX_NODES:
        raise HostFactsInvalid(f"This is the output of more than {MAX_NODES} nodes. Paste fewer.")
    return [_read_block(lines) for lines in blocks]


def _blocks(text: str) -> Iterator[list[str]]:
    """Give the lines of each node; what stands between two nodes is somebody else's, such as a banner of ssh."""
    lines: list[str] | None = None
    for raw in text.splitlines():
        line = "".join(each for each in raw[:MAX_LINE] if each.isprintable()).strip()
        if first := _FIRST.fullmatch(line):
            if lines is not None:
                raise HostFactsInvalid("The output of a node is cut off: `end` is missing. Run the command again.")
            if first[1] != _VERSION:
                raise HostFactsInvalid("This is the output of another version. Copy the command again and run it.")
            lines = []
        elif lines is not None and line == "end":
            yield lines
            lines = None
        elif lines is not None:
            lines.append(line)
            if len(lines) > MAX_LINES:
                raise HostFactsInvalid("The output of a node has too many lines. Run the command again.")
    if lines is not None:
        raise HostFactsInvalid("The output of a node is cut off: `end` is missing. Run the command again.")


def _read_block(lines: list[str]) -> HostFacts:
    fingerprint = ""
    values: dict[str, str] = {}
    paths: list[PathFacts] = []
    peers: list[PeerFacts] = []
    for line in lines:
        name, _, rest = line.partition(" ")
        rest = rest.replace("`", "'").strip()  # a backtick begins code on our pages
        match name:
            case "fingerprint":
                fingerprint = next(iter(read_fingerprints(rest)), "")
            case "path":
                words = rest.split(" ", 4)
                if len(words) == 5 and all(map(_WORD.fullmatch, words)) and words[4].startswith("/"):
                    paths.append(PathFacts(*words))
            case "peer":
                words = rest.split(" ")
                if len(words) == 3 and all(map(_WORD.fullmatch, words)):
                    peers.append(PeerFacts(*words))
            case "port53" | "swap" | "huge_pages" | "port_range" | "clock" | "localhost":
                values[name] = rest[:200]
    return HostFacts(fingerprint, values, tuple(paths), tuple(peers))
