"""Addresses of many nodes, as operators type them: lines, commas, and ranges."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from setup_wizard.clusters.document import MAX_NODES
from setup_wizard.nodes.address import Address, AddressInvalid

_LAST_NUMBER: Final = re.compile(
    r"^(?P<start>(?:\d{1,3}\.){3})(?P<first>\d{1,3})-(?P<last>\d{1,3})(?P<port>:\d{1,5})?$"
)
_IN_BRACKETS: Final = re.compile(r"^(?P<start>[^\[\]]*)\[(?P<first>\d{1,4})-(?P<last>\d{1,4})\](?P<end>[^\[\]]*)$")


@dataclass(frozen=True, slots=True)
class TypedAddresses:
    """The addresses in order, each once, and a message for each entry that is none."""

    addresses: tuple[str, ...]
    errors: tuple[str, ...]


def read_addresses(text: str) -> TypedAddresses:
    """Read addresses that are separated by lines, blanks, commas or semicolons.

    "10.0.0.5-9" is five addresses, "node-[1-3].lab" is three.
    """
    found: dict[str, None] = {}
    errors: list[str] = []
    for entry in filter(None, re.split(r"[\s,;]+", text)):
        try:
            for each in _expand(entry):
                found.setdefault(str(Address.parse(each)))
                if len(found) > MAX_NODES:
                    return TypedAddresses((), (f"These are more than {MAX_NODES} nodes, the most of one plan.",))
        except AddressInvalid as error:
            errors.append(f"{entry[:60]}: {error}")
    return TypedAddresses(tuple(found), tuple(errors))


def _expand(entry: str) -> Iterator[str]:
    if match := _LAST_NUMBER.match(entry):
        start, end = match["start"], match["port"] or ""
    elif match := _IN_BRACKETS.match(entry):
        start, end = match["start"], match["end"]
    else:
        yield entry
        return
    first, last = int(match["first"]), int(match["last"])
    if last < first:
        raise AddressInvalid(f"The range ends before it begins: {first}-{last}.")
    if last - first >= MAX_NODES:
        raise AddressInvalid(f"This range has {last - first + 1} addresses. A plan has at most {MAX_NODES} nodes.")
    width = len(match["first"]) if match["first"].startswith("0") else 0  # "node-[01-12]" keeps its zeros
    for number in range(first, last + 1):
        yield f"{start}{number:0{width}}{end}"
