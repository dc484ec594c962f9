"""A bootstrap request: the API, the pages and the engine all read it into these types.

An unset field (None, or empty) is not sent: the node uses its default. In a document null means unset.

Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.fields import (
    MAX_ENTRIES,
    ActionName,
    Address,
    Addresses,
    ApiPort,
    Certificate,
    ClusterName,
    Count,
    HighPort,
    JsonObject,
    License,
    Members,
    Password,
    Path,
    Placement,
    PrivateKey,
    RackId,
    RecoveryFile,
    Retries,
    Suffix,
    Text,
    Uid,
    Username,
)
from setup_wizard.bootstrap.secret import MASK, Secret, names_secret

_USER_IN_LINK = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def _no_secret() -> Secret:
    return Secret("")


def _describe_null(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Allow null in the JSON schema, for unset."""
    for name, found in schema["properties"].items():
        described = {key: value for key, value in found.items() if key not in {"title", "default"}}
        kinds = described.get("anyOf") or described.get("allOf") or [described]
        if not model.model_fields[name].is_required() and {"type": "null"} not in kinds:
            described = {"anyOf": [*kinds, {"type": "null"}]}
        schema["properties"][name] = described


class RequestObject(BaseModel):
    """An object of the request, strict about its fields and their types."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, json_schema_extra=_describe_null
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, document: object) -> object:
        if isinstance(document, Mapping):
            return {str(key): value for key, value in document.items() if value is not None}
        return document


class ClusterIdentity(RequestObject):
    """The cluster to create or to join; `nodes` are members of it, none when it is created."""

    name: ClusterName = ""
    nodes: Members = ()
    wait_command: bool | None = None


class Paths(RequestObject):
    """Where the node keeps its data: absolute paths on the node."""

    persistent_path: Path = ""
    ephemeral_path: Path = ""
    bigstore_path: Path = ""
    ccs_persistent_path: Path = ""


class Identity(RequestObject):
    """The identity of the node in the cluster; `uid` is the failed node that it replaces."""

    uid: Uid | None = None
    accept_servers: bool | None = None
    addr: Address = ""
    external_addr: Addresses = ()
    name: Text = ""
    override_rack_id: bool | None = None
    rack_id: RackId = ""
    second_rack_id: RackId = ""
    use_internal_ipv6: bool | None = None


class Limits(RequestObject):
    """How much the node may run."""

    max_listeners: Count | None = None
    max_redis_servers: Count | None = None


class NodeIdentity(RequestObject):
    """The node: its paths, its identity, its flash storage and its limits."""

    paths: Paths = Paths()
    identity: Identity = Identity()
    bigstore_enabled: bool | None = None
    bigstore_driver: Text = ""
    limits: Limits = Limits()


class Credentials(RequestObject):
    """The cluster's administrator: user name and password, or client certificate and key, never both."""

    username: Username = ""
    password: Password = Field(default_factory=_no_secret)
    client_cert: Certificate = ""
    client_key: PrivateKey = Field(default_factory=_no_secret)
    trusted_ca: Certificate = ""


class ClusterPolicy(RequestObject):
    """The defaults of the new cluster for its databases; deprecated since 8.0, but accepted."""

    rack_aware: bool | None = None
    default_shards_placement: Placement = ""
    default_sharded_proxy_policy: Text = ""
    default_non_sharded_proxy_policy: Text = ""
    default_fork_evict_ram: bool | None = None
    shards_overbooking: bool | None = None


class DnsSuffix(RequestObject):
    """One DNS suffix of the cluster; `slaves` are the name servers to notify."""

    name: Suffix
    cluster_default: bool | None = None
    use_aaaa_ns: bool | None = None
    use_internal_addr: bool | None = None
    slaves: Members = ()


class BootstrapRequest(RequestObject):
    """Everything that is sent to a node for one bootstrap; times in seconds.

    The password, the client key and the credentials of user-defined modules are in no `repr` and not in `redacted()`.
    A request that was stored redacted is complete again after `with_credentials`, unless it has `hidden_parts`.
    """

    action: ActionName
    cluster: ClusterIdentity = ClusterIdentity()
    node: NodeIdentity = NodeIdentity()
    credentials: Credentials | None = None
    license: License = Field(default="", repr=False)
    policy: ClusterPolicy = ClusterPolicy()
    dns_suffixes: Annotated[tuple[DnsSuffix, ...], Field(strict=False, max_length=MAX_ENTRIES)] = ()
    recovery_filename: RecoveryFile = ""
    max_retries: Retries | None = None
    retry_time: Count | None = None
    cnm_https_port: ApiPort | None = None
    required_version: Text = ""
    witness_disk: JsonObject = Field(default_factory=dict, repr=False)
    user_defined_modules: Annotated[tuple[JsonObject, ...], Field(strict=False, max_length=MAX_ENTRIES)] = Field(
        default=(), repr=False
    )
    crdb_coordinator_port: HighPort | None = None
    envoy_admin_port: HighPort | None = None
    envoy_mgmt_server_port: HighPort | None = None
    gossip_envoy_admin_port: HighPort | None = None

    @property
    def is_sendable(self) -> bool:
        """Whether nothing that the node needs is missing or hidden."""
        if self.credentials is None and self.action is not Action.RECOVER:
            return False
        return not _has_mask(self.witness_disk) and not _has_mask(self.user_defined_modules)

    @property
    def hidden_parts(self) -> tuple[str, ...]:
        """The fields whose secrets `redacted()` hides and nothing can restore."""
        names = ("witness_disk", "user_defined_modules")
        return tuple(name for name in names if _has_mask(_render(getattr(self, name), hide=True)))

    @property
    def secrets(self) -> list[Secret]:
        """Every secret that `payload()` contains; the license counts as one."""
        credentials = [self.credentials.password, self.credentials.client_key] if self.credentials else []
        return [*credentials, Secret(self.license), *_secrets_in([self.witness_disk, *self.user_defined_modules])]

    def payload(self) -> dict[str, object]:
        """Give the JSON that is posted, secrets in clear.

        Raises:
            ValueError: the credentials are missing, or a value is hidden.
        """
        if not self.is_sendable:
            raise ValueError("the request lacks its credentials, or has a hidden value")
        return self._render()

    def redacted(self) -> dict[str, object]:
        """Give the same JSON with every secret as asterisks, to store and show."""
        return self._render(hide=True)

    def with_credentials(self, credentials: Credentials | None) -> "BootstrapRequest":
        """Give the same request with these credentials."""
        return self.model_copy(update={"credentials": credentials})

    def _render(self, *, hide: bool = False) -> dict[str, object]:
        document = _render_fields(self, hide=hide)
        cluster = document.setdefault("cluster", {})
        if isinstance(cluster, dict):
            cluster.setdefault("nodes", [])  # the API's examples send the empty list
        return document


def _render_fields(part: RequestObject, *, hide: bool) -> dict[str, object]:
    document: dict[str, object] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if value is None or value in ("", (), {}):
            continue
        rendered = _render(value, hide=hide)
        if rendered not in ("", {}):
            document[name] = rendered
    return document


def _render(value: object, *, hide: bool) -> object:
    if isinstance(value, Secret):
        return (MASK if hide else value.reveal()) if value else ""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, RequestObject):
        return _render_fields(value, hide=hide)
    if isinstance(value, tuple | list):
        return [_render(item, hide=hide) for item in value]
    if isinstance(value, Mapping):
        return {
            str(key): MASK if hide and names_secret(str(key)) else _render(item, hide=hide)
            for key, item in value.items()
        }
    if isinstance(value, str) and hide:
        return _USER_IN_LINK.sub(MASK, value)
    return value


def _secrets_in(value: object, *, is_secret: bool = False) -> Iterator[Secret]:
    """Yield what `_render` hides; of a user in a link only the password, if there is one."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets_in(item, is_secret=is_secret or names_secret(str(key)))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _secrets_in(item, is_secret=is_secret)
    elif is_secret and isinstance(value, str | int | float) and not isinstance(value, bool):
        yield Secret(str(value))
    elif isinstance(value, str):
        for user in _USER_IN_LINK.findall(value):
            yield Secret(user.partition(":")[2] or user)


def _has_mask(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_mask(item) for item in value.values())
    if isinstance(value, tuple | list):
        return any(_has_mask(item) for item in value)
    return isinstance(value, str) and MASK in value
