"""Fingerprints that an operator collected on the nodes themselves, compared with what the nodes show us."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from setup_wizard.clusters.models import NodeLook
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.certificates import normalise_fingerprint

MAX_PASTED: Final = 64 * 1024
_PAIRS: Final = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])")
_DIGITS: Final = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")


def read_fingerprints(text: str) -> frozenset[str]:
    """Find every SHA-256 fingerprint in a pasted text, in the spelling that certificates have here."""
    pasted = text[:MAX_PASTED]
    found = [*_PAIRS.findall(pasted), *_DIGITS.findall(pasted)]
    return frozenset(normalise_fingerprint(each) for each in found)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which nodes show a certificate whose fingerprint was pasted."""

    matching: tuple[NodeLook, ...]
    different: tuple[NodeLook, ...]
    count: int  # of pasted fingerprints

    @property
    def summary(self) -> str:
        """The result in a few words."""
        if not self.count:
            return "No SHA-256 fingerprint was found in the text."
        total = len(self.matching) + len(self.different)
        return f"{len(self.matching)} of {total} node{'s' if total > 1 else ''} match"


def compare(looks: Sequence[NodeLook], pasted: str) -> Comparison:
    """Compare what the nodes show with what was pasted."""
    fingerprints = read_fingerprints(pasted)
    answered = [look for look in looks if look.probe]
    matching = tuple(look for look in answered if look.fingerprint in fingerprints)
    return Comparison(matching, tuple(look for look in answered if look not in matching), len(fingerprints))


def command_for(addresses: Sequence[str]) -> str:
    """A loop over ssh that prints the fingerprint of every node; the quoted part runs on one node alone."""
    hosts: dict[str, list[str]] = {}
    for text in addresses:
        address = Address.parse(text)
        hosts.setdefault(address.on_the_node, []).append(address.host)
    lines = []
    for local, names in hosts.items():
        print_it = (
            f"openssl s_client -connect {local} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
        )
        lines.append(f"for node in {' '.join(names)}; do ssh \"$node\" '{print_it}'; done")
    return "\n".join(lines)
