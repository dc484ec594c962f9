"""What a node reports about itself, parsed with tolerance for every known spelling."""

import ipaddress
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Final

from setup_wizard.bootstrap.text import clean

MAX_ADDRESSES: Final = 64
MAX_TEXT_LENGTH: Final = 300
MAX_NUMBER: Final = 2**63 - 1  # what a database column holds

_BRIDGES = ("bridge", "br-", "cni", "docker", "flannel", "lxc", "lxd", "podman", "veth", "virbr", "vmnet")
_ADDRESS_KEYS = ("available_addresses", "available_addrs", "addresses")  # real nodes, the documentation, our own JSON


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """One address of a node; `format` is "ipv4" or "ipv6", `private` is None when the node does not say."""

    address: str
    format: str
    if_name: str = ""
    private: bool | None = None
    is_bridge: bool = False


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node reports about itself; a missing or senseless fact is None, or an empty tuple.

    Sizes are in the node's unit, bytes on current nodes (`sizes.format_size` tells); uptime is in seconds. Numbers are
    finite and not negative; texts are one visible line.
    """

    uid: str | None = None
    software_version: str | None = None
    os_version: str | None = None
    os_name: str | None = None
    os_family: str | None = None
    os_semantic_version: str | None = None
    architecture: str | None = None
    short_hostname: str | None = None
    cores: float | None = None
    total_memory: float | None = None
    uptime: float | None = None
    ephemeral_storage_path: str | None = None
    ephemeral_storage_size: float | None = None
    persistent_storage_path: str | None = None
    persistent_storage_size: float | None = None
    bigredis_storage_path: str | None = None
    bigredis_storage_size: float | None = None
    fips_enabled: bool | None = None
    addresses: tuple[NodeAddress, ...] = ()
    supported_bigstore_drivers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Give the facts as plain JSON for storing; `from_json` reads them back unchanged."""
        document: dict[str, object] = {field.name: getattr(self, field.name) for field in fields(self)}
        document["addresses"] = [asdict(address) for address in self.addresses]
        document["supported_bigstore_drivers"] = list(self.supported_bigstore_drivers)
        return document

    @classmethod
    def from_json(cls, document: object) -> "NodeFacts":
        """Read what `as_json` gave, or what a node sent; what cannot be read is left out."""
        return parse_facts(document)


def parse_facts(document: object) -> NodeFacts:
    """Read a node's `local_node_info`; never raises: unknown keys and wrong types are left out."""
    if not isinstance(document, Mapping):
        return NodeFacts()
    return NodeFacts(
        uid=_name(document.get("uid")),
        software_version=read_text(document.get("software_version")),
        os_version=read_text(document.get("os_version")),
        os_name=read_text(document.get("os_name")),
        os_family=read_text(document.get("os_family")),
        os_semantic_version=read_text(document.get("os_semantic_version")),
        architecture=read_text(document.get("architecture")),
        short_hostname=read_text(document.get("short_hostname")),
        cores=read_number(document.get("cores")),
        total_memory=read_number(document.get("total_memory")),
        uptime=read_number(document.get("uptime")),
        ephemeral_storage_path=read_text(document.get("ephemeral_storage_path")),
        ephemeral_storage_size=read_number(document.get("ephemeral_storage_size")),
        persistent_storage_path=read_text(document.get("persistent_storage_path")),
        persistent_storage_size=read_number(document.get("persistent_storage_size")),
        bigredis_storage_path=read_text(document.get("bigredis_storage_path")),
        # the vendor's key, and the name that it is stored under here
        bigredis_storage_size=read_number(document.get("bigstore_size", document.get("bigredis_storage_size"))),
        fips_enabled=read_flag(document.get("fips_enabled")),
        addresses=_addresses(document),
        supported_bigstore_drivers=tuple(_texts(document.get("supported_bigstore_drivers"))),
    )


def read_text(value: object, limit: int = MAX_TEXT_LENGTH) -> str | None:
    """Give a text as one visible line, or None for anything else and for nothing."""
    return (clean(value, limit) or None) if isinstance(value, str) else None


def read_number(value: object) -> float | None:
    """Give an int, a float or a numeric text as a number from 0 to 2**63 - 1, or None; whole numbers as int."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= MAX_NUMBER else None
    try:
        # the length is bounded because reading digits is quadratic; underscores are Python's spelling, not JSON's
        number = float(value if isinstance(value, float) or ("_" not in value and len(value) <= 40) else "nan")
    except ValueError:
        return None
    if not math.isfinite(number) or not 0 <= number <= MAX_NUMBER:
        return None
    return int(number) if number.is_integer() else number


def read_flag(value: object) -> bool | None:
    """Give true or false, or None for anything else."""
    return value if isinstance(value, bool) else None


def _name(value: object) -> str | None:
    if isinstance(value, str):
        return read_text(value, 40)
    number = read_number(value)
    return str(int(number)) if number is not None and number == int(number) else None


def _texts(value: object) -> list[str]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    return [text for item in value[:MAX_ADDRESSES] if (text := read_text(item))]


def _addresses(document: Mapping[object, object]) -> tuple[NodeAddress, ...]:
    bridges = frozenset(_texts(document.get("bridge_interfaces")))
    found: dict[str, NodeAddress] = {}
    for key in _ADDRESS_KEYS:
        items = document.get(key)
        for item in items[:MAX_ADDRESSES] if isinstance(items, list | tuple) else ():
            address = _address(item, bridges)
            if address and len(found) < MAX_ADDRESSES:
                found.setdefault(address.address, address)
    return tuple(found.values())


def _address(item: object, bridges: frozenset[str]) -> NodeAddress | None:
    if not isinstance(item, Mapping) or not isinstance(item.get("address"), str):
        return None
    try:
        address = ipaddress.ip_address(item["address"].strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return None  # a zone means something on that machine only
    interface = read_text(item.get("if_name"), 40) or ""
    return NodeAddress(
        address=str(address),
        format=f"ipv{address.version}",
        if_name=interface,
        private=read_flag(item.get("private")),
        is_bridge=item.get("is_bridge") is True or interface in bridges or interface.lower().startswith(_BRIDGES),
    )
