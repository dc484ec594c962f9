"""The network interfaces and addresses of this machine.

Reference: getifaddrs(3) of Linux, the BSDs and macOS.
"""

import ctypes
import ipaddress
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class _Entry(ctypes.Structure):
    next: int | None
    name: bytes
    flags: int
    address: int | None
    netmask: int | None

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
        entry = _Entry.from_address(pointer)
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
