"""The request of a bootstrap as a type.

A request of the wrong shape is refused here, and the node does not change. What does not fit the node (an address that
it does not have, a path that cannot be made) is found by the bootstrap.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from setup_wizard.reference_node.errors import Malformed
from setup_wizard.reference_node.lifecycle import Action
from setup_wizard.reference_node.schema import check_shape
from setup_wizard.reference_node.storage import Storage

SHAPES = {Action.CREATE: "Create", Action.JOIN: "Join", Action.RECOVER: "Recover"}


@dataclass(frozen=True)
class BootstrapPlan:
    """What a bootstrap is to do; `document` is the request itself, which a restarted node reads again."""

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
    bigstore_driver: str = ""
    client_cert: str = ""
    client_key: str = ""
    trusted_ca: str = ""

    def settings(self) -> dict[str, object]:
        """Settings of the node that the cluster only shows, as in `GET /v1/nodes`."""
        node = self.document.get("node", {})
        identity, limits = node.get("identity", {}), node.get("limits", {})
        return {
            "accept_servers": identity.get("accept_servers", True),
            "bigstore_enabled": self.flash,
            "max_listeners": limits.get("max_listeners", 100),
            "max_redis_servers": limits.get("max_redis_servers", 100),
            "second_rack_id": identity.get("second_rack_id", ""),
            "use_internal_ipv6": identity.get("use_internal_ipv6", ":" in self.addr),
        }

    def storage(self, default: Storage) -> Storage:
        """The paths of the request, and the node's own where it has none."""
        return default.asked(self.document.get("node", {}).get("paths", {}))


def parse_plan(action: Action, document: object, *, strict: bool = False) -> BootstrapPlan:
    """Read the body of ``POST /v1/bootstrap/<action>``; raises Malformed, which names the first wrong field.

    Unknown keys are ignored, or refused when `strict`.
    """
    check_shape(document, SHAPES[action], strict=strict)
    try:
        fields: dict[str, Any] = _drop_nulls(document)
    except RecursionError:  # in an unknown key
        raise Malformed("The body is nested too deeply.") from None
    cluster, credentials = fields.get("cluster", {}), fields["credentials"]
    node = fields.get("node", {})
    identity = node.get("identity", {})
    return BootstrapPlan(
        action=action,
        document=fields,
        username=credentials.get("username", ""),
        password=credentials.get("password", ""),
        client_cert=credentials.get("client_cert", ""),
        client_key=credentials.get("client_key", ""),
        trusted_ca=credentials.get("trusted_ca", ""),
        name=cluster.get("name", ""),
        nodes=tuple(cluster.get("nodes", [])),
        port=_read_number(fields.get("cnm_https_port")),
        addr=identity.get("addr", ""),
        external_addr=tuple(identity.get("external_addr", [])),
        rack_id=identity.get("rack_id", ""),
        rack_aware=fields.get("policy", {}).get("rack_aware", False),
        uid=_read_number(identity.get("uid")),
        override_rack_id=identity.get("override_rack_id", False),
        license=fields.get("license", ""),
        recovery_filename=fields.get("recovery_filename", ""),
        # older requests have the driver only
        flash=node.get("bigstore_enabled", bool(node.get("bigstore_driver"))),
        bigstore_driver=node.get("bigstore_driver", ""),
    )


def _drop_nulls(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    return {name: _drop_nulls(value) for name, value in document.items() if value is not None}


def _read_number(value: int | str | None) -> int | None:
    return None if value is None else int(value)  # some clients send digits in quotes
