"""Facts about the machine, in the units of real nodes and the spelling of the node's dialect."""

import ipaddress
import os
import platform
import shutil
import socket
import time
from hashlib import sha256
from pathlib import Path

from setup_wizard.reference_node.interfaces import interface_name, list_bridges, list_interfaces
from setup_wizard.reference_node.options import Dialect, Traits
from setup_wizard.reference_node.storage import Storage

# the keys of the published page, with the names of these facts here
SEED_KEYS = {
    "software_version": "software_version",
    "cores": "cores",
    "ephemeral_storage_path": "ephemeral_storage_path",
    "ephemeral_storage_size": "ephemeral_storage_size",
    "os_version": "os_version",
    "persistent_storage_path": "persistent_storage_path",
    "persistent_storage_size": "persistent_storage_size",
    "total_memory": "total_memory",
    "uptime": "uptime",
    "available_addresses": "available_addrs",
}


def describe_node(traits: Traits, storage: Storage, addresses: list[str], uid: int | None) -> dict[str, object]:
    """The `local_node_info` of a node; `uid` is None while it is not a member. Sizes are bytes, of disks as floats.

    Reference: the example of the bootstrap API's page (seed), an answer recorded from a real node (recorded).
    """
    facts = {
        **describe_member(traits, storage),
        "cnm_version_sha": sha256(traits.software_version.encode()).hexdigest()[:40],
        "short_hostname": socket.gethostname().split(".")[0],
        "bigstore_size": float(flash_size(traits, storage)),
        "available_addresses": [describe_address(address) for address in addresses],
        "bridge_interfaces": list_bridges(),
        "supported_bigstore_drivers": ["speedb", "rocksdb"],
    }
    if traits.dialect is Dialect.SEED:
        return ({} if uid is None else {"uid": uid}) | {word: facts[key] for key, word in SEED_KEYS.items()}
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
