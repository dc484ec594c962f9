"""What the machine says of itself: its true values, in the units that nodes use."""

import ipaddress
import os
import platform
import shutil
import socket
import time
from pathlib import Path

from setup_wizard.reference_node.interfaces import interface_name, list_interfaces

SOFTWARE_VERSION = "7.22.0-216"


def describe_machine() -> dict[str, object]:
    """The part of `local_node_info` that no setting changes; memory in bytes, uptime in seconds."""
    system = _release()
    return {
        "software_version": SOFTWARE_VERSION,
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "total_memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "os_name": system["ID"],
        "os_family": system.get("ID_LIKE", system["ID"]).split(" ")[0],
        "os_semantic_version": system.get("VERSION_ID", ""),
        "os_version": system["PRETTY_NAME"],
        "short_hostname": socket.gethostname().split(".")[0],
        "uptime": read_uptime(),
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
    # a link-local address means nothing without its interface, so nobody else can use it
    usable = [address for address in map(ipaddress.ip_address, found) if not address.is_link_local]
    return [str(address) for address in usable if parsed.version in {address.version, 6}]


def read_disk_size(path: Path) -> float:
    """Bytes of the disk that holds a path, or would hold it; a float, as nodes say it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return float(shutil.disk_usage(path).total)
    except OSError:
        return 0.0


def read_uptime() -> int:
    """Whole seconds since the machine started."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return int(time.monotonic() if clock is None else time.clock_gettime(clock))


def _release() -> dict[str, str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:  # not a Linux
        release = {}
    name = platform.system()
    version = platform.release()
    return {"ID": name.lower(), "VERSION_ID": version, "PRETTY_NAME": f"{name} {version}", **release}
