"""Which versions of the software know which fields of the request."""

from collections.abc import Mapping
from typing import Final

from setup_wizard.bootstrap.versions import read_version

Version = tuple[int, ...]

SINCE: Final[Mapping[str, Version]] = {
    "node.bigstore_enabled": (7, 4),
    "node.identity.use_internal_ipv6": (7, 4, 2),
    "node.identity.second_rack_id": (7, 22),
    "user_defined_modules": (8, 0, 6),
    "witness_disk": (8, 0, 6),
}
BEFORE: Final[Mapping[str, Version]] = {
    "node.bigstore_driver": (7, 4),
    "required_version": (7, 8, 6),
    "gossip_envoy_admin_port": (8, 0),
}


def is_known(path: str, software_version: str | None) -> bool:
    """Tell whether a node with this version has the field, as far as is known; a deprecated one is still accepted."""
    version = read_version(software_version)
    return not version or version >= SINCE.get(path, ())


def is_current(path: str, software_version: str | None) -> bool:
    """Tell whether a node with this version has the field, and it is not deprecated there."""
    version = read_version(software_version)
    return is_known(path, software_version) and (not version or path not in BEFORE or version < BEFORE[path])
