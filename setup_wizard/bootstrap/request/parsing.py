"""Read a bootstrap request from JSON, and name every mistake in it at once."""

import ipaddress
import json
from collections.abc import Mapping
from functools import partial
from typing import Final

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.reading import Mistakes, Reader
from setup_wizard.bootstrap.request.shapes import (
    ClusterIdentity,
    Credentials,
    DnsSuffix,
    Identity,
    Limits,
    NodeIdentity,
    Paths,
    Policy,
    Request,
)
from setup_wizard.bootstrap.rules import (
    check_address,
    check_choice,
    check_cluster_name,
    check_license,
    check_member,
    check_password,
    check_path,
    check_pem,
    check_rack_id,
    check_recovery_file,
    check_username,
)
from setup_wizard.bootstrap.secret import MASK, Secret

_LARGEST_OBJECT: Final = 16_384  # characters of JSON, for the two objects that we pass on unread
_ASKED: Final = {
    "username": "Enter the user name of the cluster's administrator.",
    "password": "Enter the password of the cluster's administrator.",
    "client_cert": "Paste the client certificate that belongs to the key.",
    "client_key": "Paste the key that belongs to the client certificate.",
}


class InvalidRequest(ValueError):
    """A request that must not be sent; `fields` has the messages by the path of the field, such as "cluster.name"."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(f"invalid: {', '.join(sorted(fields))}")
        self.fields = fields


def parse_request(document: object, *, credentials_required: bool = True) -> Request:
    """Read the JSON object of a bootstrap, every rule applied.

    Without `credentials_required` a request that was stored with `redacted()` reads back: credentials that are absent
    or hidden become None. A recovery needs no credentials.

    Raises:
        InvalidRequest: with every mistake and every unknown field.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/objects/bootstrap/
    """
    if not isinstance(document, Mapping):
        raise InvalidRequest({"": ["A bootstrap request is a JSON object."]})
    mistakes = Mistakes()
    reader = Reader(document, "", mistakes)
    action = _action(reader)
    request = Request(
        action=action or Action.CREATE,
        cluster=_cluster(reader.child("cluster"), action),
        node=_node(reader.child("node"), action),
        credentials=_credentials(reader, required=credentials_required and action is not Action.RECOVER),
        license=reader.text("license", check_license),
        policy=_policy(reader.child("policy")),
        dns_suffixes=tuple(map(_dns_suffix, reader.children("dns_suffixes"))),
        recovery_filename=reader.text("recovery_filename", check_recovery_file),
        max_retries=reader.number("max_retries", highest=1000),
        retry_time=reader.number("retry_time", highest=86_400),
        cnm_https_port=reader.number("cnm_https_port", 1, 65_535),
        required_version=reader.text("required_version"),
        witness_disk=_object(reader, "witness_disk"),
        user_defined_modules=_objects(reader, "user_defined_modules"),
        crdb_coordinator_port=reader.number("crdb_coordinator_port", 1024, 65_535),
        envoy_admin_port=reader.number("envoy_admin_port", 1024, 65_535),
        envoy_mgmt_server_port=reader.number("envoy_mgmt_server_port", 1024, 65_535),
        gossip_envoy_admin_port=reader.number("gossip_envoy_admin_port", 1024, 65_535),
    )
    reader.close()
    _check_whole(request, action, mistakes)
    if mistakes:
        raise InvalidRequest(dict(mistakes))
    return request


def _action(reader: Reader) -> Action | None:
    word = reader.get("action")
    if isinstance(word, str) and word in set(Action):
        return Action(word)
    reader.complain("action", f"This is one of {', '.join(Action)}.")
    return None


def _cluster(reader: Reader, action: Action | None) -> ClusterIdentity:
    cluster = ClusterIdentity(
        name=reader.text("name", check_cluster_name, needed=action is Action.CREATE),
        nodes=reader.texts("nodes", check_member),
        wait_command=reader.flag("wait_command"),
    )
    if action is Action.CREATE and cluster.nodes:
        reader.complain("nodes", "A new cluster has no members yet. Leave this empty, or join the cluster instead.")
    if action is Action.JOIN and not reader.get("nodes"):
        reader.complain("nodes", "Enter the address of at least one member of the cluster, such as 10.0.0.5.")
    reader.close()
    return cluster


def _node(reader: Reader, action: Action | None) -> NodeIdentity:
    node = NodeIdentity(
        paths=_paths(reader.child("paths")),
        identity=_identity(reader.child("identity"), action),
        bigstore_enabled=reader.flag("bigstore_enabled"),
        bigstore_driver=reader.text("bigstore_driver"),
        limits=_limits(reader.child("limits")),
    )
    reader.close()
    return node


def _paths(reader: Reader) -> Paths:
    paths = Paths(
        persistent_path=reader.text("persistent_path", check_path),
        ephemeral_path=reader.text("ephemeral_path", check_path),
        bigstore_path=reader.text("bigstore_path", check_path),
        ccs_persistent_path=reader.text("ccs_persistent_path", check_path),
    )
    reader.close()
    return paths


def _identity(reader: Reader, action: Action | None) -> Identity:
    identity = Identity(
        uid=reader.number("uid", 1),
        accept_servers=reader.flag("accept_servers"),
        addr=reader.text("addr", check_address),
        external_addr=reader.texts("external_addr", check_address),
        name=reader.text("name"),
        override_rack_id=reader.flag("override_rack_id"),
        rack_id=reader.text("rack_id", check_rack_id),
        second_rack_id=reader.text("second_rack_id", check_rack_id),
        use_internal_ipv6=reader.flag("use_internal_ipv6"),
    )
    if action is Action.JOIN and identity.use_internal_ipv6 is not None:
        reader.complain("use_internal_ipv6", "A cluster settles this when it is created. Leave it out of a join.")
    reader.close()
    return identity


def _limits(reader: Reader) -> Limits:
    limits = Limits(
        max_listeners=reader.number("max_listeners"),
        max_redis_servers=reader.number("max_redis_servers"),
    )
    reader.close()
    return limits


def _credentials(reader: Reader, *, required: bool) -> Credentials | None:
    child = reader.child("credentials")
    given = {key for key in ("username", "password", "client_cert", "client_key") if child.get(key) not in (None, "")}
    hidden = {key for key in ("password", "client_key") if child.get(key) == MASK}
    signs_in_by_certificate = not given & {"username", "password"} and bool(given)
    credentials = Credentials(
        username=child.text("username", check_username),
        password=Secret("" if "password" in hidden else child.secret("password", check_password)),
        client_cert=child.text("client_cert", partial(check_pem, kind="CERTIFICATE")),
        client_key=Secret("" if "client_key" in hidden else child.secret("client_key", _check_key)),
        trusted_ca=child.text("trusted_ca", partial(check_pem, kind="CERTIFICATE")),
    )
    child.close()
    needed = {"client_cert", "client_key"} if signs_in_by_certificate else {"username", "password"}
    if given - needed:
        child.complain(
            "", "Sign in with a user name and a password, or with a client certificate and its key: not both."
        )
    if not required and (hidden or needed - given):
        return None  # a stored request: what was hidden comes back from the vault
    if required or given:
        for key in sorted(needed - given):
            child.complain(key, _ASKED[key])
        for key in sorted(hidden):
            child.complain(key, "This is hidden behind asterisks. Enter it again.")
    return credentials if given else None


def _check_key(text: str) -> str:
    return check_pem(text, "PRIVATE KEY")


def _policy(reader: Reader) -> Policy:
    policy = Policy(
        rack_aware=reader.flag("rack_aware"),
        default_shards_placement=reader.text(
            "default_shards_placement", partial(check_choice, choices=("dense", "sparse"))
        ),
        default_sharded_proxy_policy=reader.text("default_sharded_proxy_policy"),
        default_non_sharded_proxy_policy=reader.text("default_non_sharded_proxy_policy"),
        default_fork_evict_ram=reader.flag("default_fork_evict_ram"),
        shards_overbooking=reader.flag("shards_overbooking"),
    )
    reader.close()
    return policy


def _dns_suffix(reader: Reader) -> DnsSuffix:
    suffix = DnsSuffix(
        name=reader.text("name", check_cluster_name, needed=True),
        cluster_default=reader.flag("cluster_default"),
        use_aaaa_ns=reader.flag("use_aaaa_ns"),
        use_internal_addr=reader.flag("use_internal_addr"),
        slaves=reader.texts("slaves", check_member),
    )
    reader.close()
    return suffix


def _object(reader: Reader, key: str) -> Mapping[str, object]:
    value = reader.get(key)
    if isinstance(value, Mapping):
        return _plain(reader, key, value)
    if value is not None:
        reader.complain(key, "This must be an object.")
    return {}


def _objects(reader: Reader, key: str) -> tuple[Mapping[str, object], ...]:
    items = reader.items(key)
    if not all(isinstance(item, Mapping) for item in items):
        reader.complain(key, "Each entry must be an object.")
        return ()
    return tuple(_plain(reader, key, item) for item in items if isinstance(item, Mapping))


def _plain(reader: Reader, key: str, value: Mapping[object, object]) -> Mapping[str, object]:
    """Pass an object on as it is, once it is known to be JSON of a sensible size."""
    try:
        text = json.dumps(value, allow_nan=False)
        if len(text) <= _LARGEST_OBJECT:
            copy: dict[str, object] = json.loads(text)
            return copy
        reader.complain(key, f"This has {len(text)} characters of JSON. It can have at most {_LARGEST_OBJECT}.")
    except (TypeError, ValueError, RecursionError):
        reader.complain(key, "This cannot be written as JSON.")
    return {}


def _check_whole(request: Request, action: Action | None, mistakes: Mistakes) -> None:
    """Check what no single field can know."""
    members = set(map(_same, request.cluster.nodes))
    identity = request.node.identity
    # nodes that share one address tell each other apart by the port
    by_address = request.cnm_https_port is None
    if action is Action.JOIN and by_address and identity.addr and _same(identity.addr) in members:
        mistakes.add(
            "cluster.nodes",
            f"{identity.addr} is the address of the node that is to join. Enter a member of the cluster here.",
        )
    if action is Action.RECOVER and not request.recovery_filename and "recovery_filename" not in mistakes:
        mistakes.add(
            "recovery_filename", "Enter the file to recover from, such as /var/opt/redislabs/persist/ccs/ccs-redis.rdb."
        )
    if identity.second_rack_id and not identity.rack_id and "node.identity.rack_id" not in mistakes:
        mistakes.add("node.identity.rack_id", "A second rack id needs a first one. Enter it here.")


def _same(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower()
