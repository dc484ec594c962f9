"""Known defects of the nodes' software; each text is empty for a version that does not have the defect.

Reference: the vendor's release notes, https://redis.io/docs/latest/operate/rs/release-notes/
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from setup_wizard.bootstrap.versions import read_version

USUAL_PORT: Final = 9443
LOOPBACK_FIXED: Final = (7, 22, 2, 170)
PORT_FIXED: Final = (8, 0, 20)
PARTIAL_FIXED: Final = (8, 2, 0)


def name_loopback_defect(addresses: Iterable[str], version: str | None) -> str:
    """Name an IPv6 address that older software takes for loopback, because it contains `::1`."""
    affected = [address for address in addresses if _contains_loopback(address)]
    if not affected or not _is_before(version, LOOPBACK_FIXED):
        return ""
    return (
        f"{', '.join(affected)} contains `::1`. Software before 7.22.2-170 takes such an address for loopback, and "
        f"this node runs {version}. Use another address, or install a newer version first."
    )


def name_port_defect(port: int | None, version: str | None) -> str:
    """Say that after a join over this port older software prints an error, although the join succeeded."""
    if port in {None, USUAL_PORT} or not _is_before(version, PORT_FIXED):
        return ""
    return (
        f"You can ignore an error of `rladmin` about this join. Software versions before 8.0.20, such as {version}, "
        f"print one after a join over another port than {USUAL_PORT} (here {port}), although the node has joined."
    )


def name_partial_create(version: str | None) -> str:
    """Say that older software can leave a cluster half created."""
    if not _is_before(version, PARTIAL_FIXED):
        return ""
    return (
        f"Before 8.2.0, a create can stop halfway, and this node runs {version}. If it never finishes, install the "
        "cluster software again."
    )


def _contains_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.version == 6 and not parsed.is_loopback and "::1" in str(parsed)


def _is_before(version: str | None, fixed: tuple[int, ...]) -> bool:
    """Tell whether a version has a defect; an unknown version counts as fixed."""
    known = read_version(version)
    return bool(known) and known < fixed
