"""A bootstrap request as frozen dataclasses, their names those of the API.

A field that is unset (None, or empty) is not sent: the node then takes its own default.

Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.secret import MASK, Secret

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_TELLING = re.compile(r"pass(?!ive)|secret|token|credential|(?<!mon)key|auth(?!or)", re.IGNORECASE)
_USER_IN_LINK = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def _no_secret() -> Secret:
    return Secret("")


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """The cluster to create or to join; `nodes` are members of it, none when it is created."""

    name: str = ""
    nodes: tuple[str, ...] = ()
    wait_command: bool | None = None


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the node keeps its data: absolute paths on the node."""

    persistent_path: str = ""
    ephemeral_path: str = ""
    bigstore_path: str = ""
    ccs_persistent_path: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the node is to be; `uid` names the dead node that it replaces."""

    uid: int | None = None
    accept_servers: bool | None = None
    addr: str = ""
    external_addr: tuple[str, ...] = ()
    name: str = ""
    override_rack_id: bool | None = None
    rack_id: str = ""
    second_rack_id: str = ""
    use_internal_ipv6: bool | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the node may carry."""

    max_listeners: int | None = None
    max_redis_servers: int | None = None


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """The node that is asked: its paths, its identity, its flash storage, its limits."""

    paths: Paths = Paths()
    identity: Identity = Identity()
    bigstore_enabled: bool | None = None
    bigstore_driver: str = ""
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Credentials:
    """The cluster's administrator: user name and password, or client certificate and key, never both."""

    username: str = ""
    password: Secret = field(default_factory=_no_secret)
    client_cert: str = ""
    client_key: Secret = field(default_factory=_no_secret)
    trusted_ca: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the new cluster is to treat its databases; deprecated from 8.0 on, where it is still accepted."""

    rack_aware: bool | None = None
    default_shards_placement: str = ""
    default_sharded_proxy_policy: str = ""
    default_non_sharded_proxy_policy: str = ""
    default_fork_evict_ram: bool | None = None
    shards_overbooking: bool | None = None


@dataclass(frozen=True, slots=True)
class DnsSuffix:
    """One DNS suffix of the cluster, `slaves` the name servers to be told of changes."""

    name: str
    cluster_default: bool | None = None
    use_aaaa_ns: bool | None = None
    use_internal_addr: bool | None = None
    slaves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One bootstrap of one node, everything the node is told; times in seconds.

    The password, the client key and what user-defined modules sign in with show in no `repr` and not in `redacted()`.
    A request that was stored redacted is whole again after `with_credentials`.
    """

    action: Action
    cluster: ClusterIdentity = ClusterIdentity()
    node: NodeIdentity = NodeIdentity()
    credentials: Credentials | None = None
    license: str = field(default="", repr=False)
    policy: Policy = Policy()
    dns_suffixes: tuple[DnsSuffix, ...] = ()
    recovery_filename: str = ""
    max_retries: int | None = None
    retry_time: int | None = None
    cnm_https_port: int | None = None
    required_version: str = ""
    witness_disk: Mapping[str, object] = field(default_factory=dict, repr=False)
    user_defined_modules: tuple[Mapping[str, object], ...] = field(default=(), repr=False)
    crdb_coordinator_port: int | None = None
    envoy_admin_port: int | None = None
    envoy_mgmt_server_port: int | None = None
    gossip_envoy_admin_port: int | None = None

    @property
    def is_sendable(self) -> bool:
        """Whether nothing that the node needs is missing or still hidden."""
        if self.credentials is None and self.action is not Action.RECOVER:
            return False
        return not _has_mask(self.witness_disk) and not _has_mask(self.user_defined_modules)

    @property
    def hidden_parts(self) -> tuple[str, ...]:
        """The parts beside the credentials that `redacted()` takes something from, which nothing gives back."""
        names = ("witness_disk", "user_defined_modules")
        return tuple(name for name in names if _has_mask(_render(getattr(self, name), hide=True)))

    def payload(self) -> dict[str, object]:
        """Give the JSON that is posted, secrets in clear.

        Raises:
            ValueError: the request was stored redacted and a hidden value has not been given back, or it has no
                credentials: sending it would only lock somebody out.
        """
        if not self.is_sendable:
            raise ValueError("the request lacks its credentials, or a value of it is still hidden")
        return self._render()

    def redacted(self) -> dict[str, object]:
        """Give the same JSON for storing and showing, with every secret as asterisks."""
        return self._render(hide=True)

    def with_credentials(self, credentials: Credentials | None) -> "Request":
        """Give the same request with these credentials."""
        return replace(self, credentials=credentials)

    def _render(self, *, hide: bool = False) -> dict[str, object]:
        document = _render_fields(self, hide=hide)
        cluster = document.setdefault("cluster", {})
        if isinstance(cluster, dict):
            cluster.setdefault("nodes", [])  # the API's own examples send the empty list
        return document


def _render_fields(shape: "DataclassInstance", *, hide: bool) -> dict[str, object]:
    document: dict[str, object] = {}
    for item in fields(shape):
        value = getattr(shape, item.name)
        if value is None or value in ("", (), {}):
            continue
        rendered = _render(value, hide=hide)
        if rendered not in ("", {}):
            document[item.name] = rendered
    return document


def _render(value: object, *, hide: bool) -> object:
    if isinstance(value, Secret):
        return (MASK if hide else value.reveal()) if value else ""
    if isinstance(value, StrEnum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return _render_fields(value, hide=hide)
    if isinstance(value, tuple | list):
        return [_render(item, hide=hide) for item in value]
    if isinstance(value, Mapping):
        return {
            str(key): MASK if hide and _TELLING.search(str(key)) else _render(item, hide=hide)
            for key, item in value.items()
        }
    if isinstance(value, str) and hide:
        return _USER_IN_LINK.sub(MASK, value)
    return value


def _has_mask(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_mask(item) for item in value.values())
    if isinstance(value, tuple | list):
        return any(_has_mask(item) for item in value)
    return isinstance(value, str) and MASK in value
