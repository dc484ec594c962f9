"""Hypothesis strategies for valid requests, with values for every field of the models."""

from hypothesis import strategies as st

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.request.errors import model_in
from tests.bootstrap.samples import LICENSE

FLAG = st.booleans()
WORD = st.sampled_from(["a", "redis-7", "Ünï 1", "7.22.0-216"])
PATH = st.sampled_from(["/", "/mnt/data", "/mnt/with space", "/" + "a" * 2000])
RACK = st.sampled_from(["a", "Rack_1", "r" * 63])
ADDRESS = st.sampled_from(["10.0.0.7", "203.0.113.7", "fd00::1", "2001:db8::5"])
ADDRESSES = st.lists(ADDRESS, unique=True, max_size=3)
MEMBERS = st.lists(st.sampled_from(["10.0.0.2", "fd00::2", "redis-1.example.com"]), unique=True, min_size=1)
NAME = st.sampled_from(["redis-prod.example.com", "my.cluster", "cluster.local"])
COUNT = st.sampled_from([0, 1, 100, 2**31 - 1])
PORT = st.sampled_from([1024, 9443, 9444, 65_535])
OBJECT = st.dictionaries(st.sampled_from(["name", "size", "on", "at"]), WORD | COUNT | FLAG | st.none(), max_size=3)
FIELDS = {
    "cluster.name": NAME | st.sampled_from(["docker-cluster", "redis_cluster"]),
    "cluster.nodes": MEMBERS,
    "cluster.wait_command": FLAG,
    "node.paths.persistent_path": PATH,
    "node.paths.ephemeral_path": PATH,
    "node.paths.bigstore_path": PATH,
    "node.paths.ccs_persistent_path": PATH,
    "node.identity.uid": st.sampled_from([1, 4, 2**31 - 1]),
    "node.identity.accept_servers": FLAG,
    "node.identity.addr": ADDRESS,
    "node.identity.external_addr": ADDRESSES,
    "node.identity.name": WORD,
    "node.identity.override_rack_id": FLAG,
    "node.identity.rack_id": RACK,
    "node.identity.second_rack_id": RACK,
    "node.identity.use_internal_ipv6": FLAG,
    "node.bigstore_enabled": FLAG,
    "node.bigstore_driver": st.sampled_from(["rocksdb", "speedb"]),
    "node.limits.max_listeners": COUNT,
    "node.limits.max_redis_servers": COUNT,
    "license": st.just(LICENSE),
    "policy.rack_aware": FLAG,
    "policy.default_shards_placement": st.sampled_from(["dense", "sparse"]),
    "policy.default_sharded_proxy_policy": WORD,
    "policy.default_non_sharded_proxy_policy": WORD,
    "policy.default_fork_evict_ram": FLAG,
    "policy.shards_overbooking": FLAG,
    "dns_suffixes": st.lists(
        st.fixed_dictionaries(
            {"name": NAME},
            optional={
                "cluster_default": FLAG,
                "use_aaaa_ns": FLAG,
                "use_internal_addr": FLAG,
                "slaves": MEMBERS,
            },
        ),
        max_size=2,
    ),
    "recovery_filename": st.sampled_from(["ccs-redis.rdb", "/mnt/old/ccs/ccs-redis.rdb"]),
    "max_retries": st.sampled_from([0, 3, 1000]),
    "retry_time": st.sampled_from([0, 20, 86_400, 604_800]),
    "cnm_https_port": PORT | st.just(1),
    "required_version": WORD,
    "witness_disk": OBJECT,
    "user_defined_modules": st.lists(OBJECT, max_size=2),
    "crdb_coordinator_port": PORT,
    "envoy_admin_port": PORT,
    "envoy_mgmt_server_port": PORT,
    "gossip_envoy_admin_port": PORT,
}
NEEDED = {
    Action.CREATE: {"cluster.name"},
    Action.JOIN: {"cluster.nodes"},
    Action.RECOVER: {"recovery_filename"},
}
IMPOSSIBLE = {
    Action.CREATE: {"cluster.nodes"},
    Action.JOIN: {"node.identity.use_internal_ipv6"},
    Action.RECOVER: set(),
}


def fields_of(model=BootstrapRequest, above=""):
    """Give the path of every field but the action and the credentials; a list of objects is one field."""
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if name in {"action", "credentials"}:
            continue
        if inner and name != "dns_suffixes":
            yield from fields_of(inner, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def document_of(values):
    """Give the document that has these values at these paths."""
    document = {}
    for path, value in values.items():
        *parents, last = path.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return document


@st.composite
def documents(draw):
    """Draw a valid request without its credentials."""
    action = draw(st.sampled_from(Action))
    optional = sorted(FIELDS.keys() - NEEDED[action] - IMPOSSIBLE[action])
    chosen = set(draw(st.lists(st.sampled_from(optional), unique=True))) | NEEDED[action]
    if action is Action.CREATE:
        values = {"cluster.name": draw(NAME)}
    else:
        values = {path: draw(FIELDS[path]) for path in ("cluster.name",) if path in chosen}
    if {"node.identity.second_rack_id", "policy.rack_aware"} & chosen:
        chosen.add("node.identity.rack_id")
    values |= {path: draw(FIELDS[path]) for path in sorted(chosen - {"cluster.name"})}
    return document_of({"action": action.value, **values})
