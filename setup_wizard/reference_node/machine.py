"""Facts about the machine, in the units of real nodes and the spelling of the node's dialect.

Reference: getifaddrs(3) of Linux, the BSDs and macOS.
"""

import ctypes
import ipaddress
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from setup_wizard.reference_node.options import Dialect, Traits
from setup_wizard.reference_node.storage import Storage

PUBLISHED_KEYS = (
    *("software_version", "cores", "ephemeral_storage_path", "ephemeral_storage_size", "os_version"),
    *("persistent_storage_path", "persistent_storage_size", "total_memory", "uptime"),
)


def describe_node(traits: Traits, storage: Storage, addresses: list[str], uid: int | None) -> dict[str, object]:
    """The `local_node_info` of a node; `uid` is None while it is not a member. Sizes are bytes, of disks as floats.

    Reference: the example of the bootstrap API's page (seed), an answer recorded from a real node (recorded).
    """
    facts = {
        **describe_member(traits, storage),
        "cnm_version_sha": sha256(traits.software_version.encode()).hexdigest()[:40],
        "short_hostname": socket.gethostname().split(".")[0],
        "available_addresses": [describe_address(address) for address in addresses],
        "bridge_interfaces": list_bridges(),
        "supported_bigstore_drivers": ["speedb", "rocksdb"],
    }
    if traits.dialect is Dialect.PUBLISHED:
        seed = {**{key: facts[key] for key in PUBLISHED_KEYS}, "available_addrs": facts["available_addresses"]}
        return seed if uid is None else {**seed, "uid": uid}
    return facts if uid is None else {**facts, "uid": str(uid)}


def memory_size(traits: Traits) -> int:
    """The memory of the node in bytes."""
    return traits.memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def flash_size(traits: Traits, storage: Storage) -> int:
    """The disk for flash storage in bytes."""
    return traits.flash or int(read_disk_size(storage.bigstore))


def describe_member(traits: Traits, storage: Storage) -> dict[str, object]:
    """The part of `local_node_info` that is also in `GET /v1/nodes`."""
    system = _release()
    return {
        "software_version": traits.software_version,
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "total_memory": memory_size(traits),
        "fips_enabled": read_fips(),
        "os_name": system["ID"],
        "os_family": system.get("ID_LIKE", system["ID"]).split(" ")[0],
        "os_semantic_version": system.get("VERSION_ID", ""),
        "os_version": system["PRETTY_NAME"],
        "uptime": read_uptime(),
        "supported_database_versions": [
            {"db_type": "redis", "version": "7.2"},
            {"db_type": "memcached", "version": "1.4.17"},
        ],
        "persistent_storage_path": str(storage.persistent),
        "persistent_storage_size": read_disk_size(storage.persistent),
        "ephemeral_storage_path": str(storage.ephemeral),
        "ephemeral_storage_size": read_disk_size(storage.ephemeral),
        "bigredis_storage_path": str(storage.bigstore),
        "bigstore_size": float(flash_size(traits, storage)),
    }


def describe_address(address: str) -> dict[str, object]:
    """One entry of `available_addresses`."""
    parsed = ipaddress.ip_address(address)
    return {
        "address": address,
        "format": f"ipv{parsed.version}",
        "if_name": interface_name(address),
        "private": parsed.is_private,
    }


def bound_addresses(bind: str) -> list[str]:
    """List the addresses that a server bound to `bind` answers on: several for ``0.0.0.0`` and ``::``."""
    parsed = ipaddress.ip_address(bind)
    if not parsed.is_unspecified:
        return [str(parsed)]
    found = [interface.address for interface in list_interfaces()]
    # others cannot use a link-local address without its interface
    usable = [address for address in map(ipaddress.ip_address, found) if not address.is_link_local]
    return [str(address) for address in usable if parsed.version in {address.version, 6}]


def read_disk_size(path: Path) -> float:
    """The size in bytes of the disk of a path, which need not exist."""
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return float(shutil.disk_usage(path).total)
    except OSError:
        return 0.0


def read_uptime() -> int:
    """Seconds since the machine started."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return int(time.monotonic() if clock is None else time.clock_gettime(clock))


def read_fips() -> bool:
    """Whether the system is in FIPS mode."""
    try:
        return Path("/proc/sys/crypto/fips_enabled").read_text().strip() == "1"
    except OSError:
        return False


def _release() -> dict[str, str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:  # not Linux
        release = {}
    name = platform.system()
    version = platform.release()
    return {"ID": name.lower(), "VERSION_ID": version, "PRETTY_NAME": f"{name} {version}", **release}


class _Entry(ctypes.Structure):
    _fields_ = [
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("address", ctypes.c_void_p),
        ("netmask", ctypes.c_void_p),
    ]


@dataclass(frozen=True)
class Interface:
    """One address of this machine, the network around it, and the name of its interface."""

    name: str
    address: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


def list_interfaces() -> list[Interface]:
    """All addresses of this machine; empty where the system cannot be asked."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        first = ctypes.c_void_p()
        if library.getifaddrs(ctypes.byref(first)) != 0:
            return []
    except (OSError, AttributeError, TypeError):
        return []
    try:
        return list(_walk(first.value))
    finally:
        library.freeifaddrs(first)


def interface_name(address: str) -> str:
    """The interface of an address, which may be any of a loopback range; "" when there is none."""
    wanted = ipaddress.ip_address(address)
    interfaces = list_interfaces()
    exact = (interface.name for interface in interfaces if ipaddress.ip_address(interface.address) == wanted)
    around = (interface.name for interface in interfaces if wanted in interface.network)
    return next(exact, None) or next(around, "")


def list_bridges() -> list[str]:
    """The names of bridges, where the system lists them."""
    return sorted(path.parent.name for path in Path("/sys/class/net").glob("*/bridge"))


def _walk(pointer: int | None) -> Iterator[Interface]:
    while pointer:
        entry: Any = _Entry.from_address(pointer)
        packed = _address(entry.address)
        if packed is not None:
            address = ipaddress.ip_address(packed)
            mask = _address(entry.netmask) or b""
            length = sum(byte.bit_count() for byte in mask) if len(mask) == len(packed) else address.max_prefixlen
            yield Interface(
                entry.name.decode(errors="replace"), str(address), ipaddress.ip_network((packed, length), strict=False)
            )
        pointer = entry.next


def _address(pointer: int | None) -> bytes | None:
    # of a `sockaddr`: IPv4 or IPv6
    if not pointer:
        return None
    head = ctypes.string_at(pointer, 2)
    # the BSDs keep the length in the first byte and the family in the second
    family = int.from_bytes(head, sys.byteorder) if sys.platform == "linux" else head[1]
    if family == socket.AF_INET:
        return ctypes.string_at(pointer + 4, 4)
    if family == socket.AF_INET6:
        return ctypes.string_at(pointer + 8, 16)
    return None
