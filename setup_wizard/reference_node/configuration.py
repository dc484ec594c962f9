"""A bootstrap request as a type, checked at the door.

Whatever is wrong with its form is refused here, with nothing changed on the node. What is well-formed but does not fit
this node (an address that it has not, a path that cannot be made) is found by the bootstrap itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from setup_wizard.reference_node.lifecycle import Action
from setup_wizard.reference_node.schema import (
    address,
    directory,
    flag,
    group,
    list_of,
    number,
    one_of,
    refuse,
    text,
)
from setup_wizard.reference_node.storage import Storage

PORT = number(1024, 65535)
SHAPE = group(
    {
        "action": text(64),
        "cluster": group({"name": text(256), "nodes": list_of(text(255, empty=False)), "wait_command": flag}),
        "node": group(
            {
                "paths": group(
                    {
                        "persistent_path": directory,
                        "ephemeral_path": directory,
                        "bigstore_path": directory,
                        "ccs_persistent_path": directory,
                    }
                ),
                "bigstore_enabled": flag,
                "bigstore_driver": text(64),
                "limits": group({"max_listeners": number(), "max_redis_servers": number()}),
                "identity": group(
                    {
                        "uid": number(1),
                        "accept_servers": flag,
                        "addr": address,
                        "external_addr": list_of(address),
                        "name": text(255),
                        "override_rack_id": flag,
                        "rack_id": text(63),
                        "second_rack_id": text(63),
                        "use_internal_ipv6": flag,
                    }
                ),
            }
        ),
        "license": text(16384),
        "credentials": group(
            {
                "username": text(255),
                "password": text(1024),
                "client_cert": text(65536),
                "client_key": text(65536),
                "trusted_ca": text(65536),
            }
        ),
        "policy": group(
            {
                "rack_aware": flag,
                "default_shards_placement": one_of("dense", "sparse"),
                "default_sharded_proxy_policy": text(64),
                "default_non_sharded_proxy_policy": text(64),
                "default_fork_evict_ram": flag,
                "shards_overbooking": flag,
            }
        ),
        "dns_suffixes": list_of(
            group(
                {
                    "name": text(255),
                    "cluster_default": flag,
                    "use_aaaa_ns": flag,
                    "use_internal_addr": flag,
                    "slaves": list_of(text(255)),
                }
            )
        ),
        "recovery_filename": text(1024),
        "max_retries": number(0, 1000),
        "retry_time": number(0, 3600),
        "cnm_https_port": number(1, 65535),
        "required_version": text(64),
        "witness_disk": text(1024),
        "user_defined_modules": list_of(lambda _value, _path: None),
        "crdb_coordinator_port": PORT,
        "envoy_admin_port": PORT,
        "envoy_mgmt_server_port": PORT,
    }
)
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
RACK = re.compile(r"[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9:._-]+")


@dataclass(frozen=True)
class Configuration:
    """What a bootstrap is to do. `document` is the request as it came, so that a restarted node can read it again."""

    action: Action
    document: Mapping[str, Any]
    username: str
    password: str
    name: str
    nodes: tuple[str, ...]
    port: int | None
    addr: str
    external_addr: tuple[str, ...]
    rack_id: str
    rack_aware: bool
    uid: int | None = None
    override_rack_id: bool = False
    license: str = ""
    recovery_filename: str = ""
    flash: bool = False

    def storage(self, default: Storage) -> Storage:
        """The paths to use: the ones asked for, and the node's own for the rest."""
        paths = self.document.get("node", {}).get("paths", {})
        ccs = paths.get("ccs_persistent_path")
        return Storage(
            Path(paths.get("persistent_path") or default.persistent),
            Path(paths.get("ephemeral_path") or default.ephemeral),
            Path(paths.get("bigstore_path") or default.bigstore),
            Path(ccs) if ccs else None,
        )


def parse_configuration(action: Action, document: object) -> Configuration:
    """Read the body of ``POST /v1/bootstrap/<action>``; raises Malformed, which names the first field that is wrong."""
    SHAPE(document, "")
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    if fields.get("action", action) != action:
        refuse("action", f"is {fields['action']!r}, but the request was sent to {action.value}")
    cluster, credentials = fields.get("cluster", {}), fields.get("credentials", {})
    node = fields.get("node", {})
    identity = node.get("identity", {})
    username, password = _read_credentials(credentials)
    if action is Action.CREATE:
        _check_name(cluster.get("name", ""))
    elif action is Action.RECOVER:
        if not fields.get("recovery_filename"):
            refuse("recovery_filename", "is required")
    else:
        _check_members(cluster.get("nodes", []))
    rack_id = identity.get("rack_id", "")
    if rack_id and not RACK.fullmatch(rack_id):
        refuse("node.identity.rack_id", "letters, digits, - and _ only, beginning with a letter")
    return Configuration(
        action=action,
        document=fields,
        username=username,
        password=password,
        name=cluster.get("name", ""),
        nodes=tuple(cluster.get("nodes", [])),
        port=fields.get("cnm_https_port"),
        addr=identity.get("addr", ""),
        external_addr=tuple(identity.get("external_addr", [])),
        rack_id=rack_id,
        rack_aware=fields.get("policy", {}).get("rack_aware", False),
        uid=identity.get("uid"),
        override_rack_id=identity.get("override_rack_id", False),
        license=fields.get("license", ""),
        recovery_filename=fields.get("recovery_filename", ""),
        # newer requests say whether, older ones with what
        flash=node.get("bigstore_enabled", bool(node.get("bigstore_driver"))),
    )


def _read_credentials(credentials: Mapping[str, str]) -> tuple[str, str]:
    if credentials.get("client_cert") or credentials.get("client_key"):
        refuse("credentials.client_cert", "this node takes a user name and a password only")
    for name in ("username", "password"):
        if not credentials.get(name):
            refuse(f"credentials.{name}", "is required")
    if any(character in credentials["username"] for character in '&<>":') or not credentials["username"].isprintable():
        refuse("credentials.username", 'must not contain any of & < > " : or a control character')
    return credentials["username"], credentials["password"]


def _check_name(name: str) -> None:
    if not name:
        refuse("cluster.name", "is required")
    if len(name) > 64 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        refuse("cluster.name", "must be a domain name of at most 64 characters")


def _check_members(nodes: list[str]) -> None:
    if not nodes:
        refuse("cluster.nodes", "must name at least one member of the cluster")
    for index, node in enumerate(nodes):
        if not HOST.fullmatch(node):
            refuse(f"cluster.nodes[{index}]", "an address or a host name is needed, without a port")
