"""What a cluster says of itself, and what it may not be read as."""

from contextlib import suppress
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap.status import (
    LicenseFacts,
    MemberState,
    Module,
    RunningAction,
    UnreadableAnswer,
    find_node,
    parse_actions,
    parse_cluster,
    parse_license,
    parse_lockout,
    parse_member_states,
    parse_modules,
    parse_nodes,
    same_name,
)

NODES = [
    {"uid": 1, "addr": "10.0.0.5", "status": "active"},
    {"uid": "2", "addr": "10.0.0.6", "external_addr": ["192.0.2.6"], "status": "provisioning"},
]


@pytest.mark.parametrize("document", [None, [], {}, {"name": ""}, {"name": 7}, {"name": ["redis-prod.example.com"]}])
def test_a_cluster_without_a_name_is_refused(document):
    with pytest.raises(UnreadableAnswer):
        parse_cluster(document)


def test_a_cluster_name_is_one_visible_line():
    assert parse_cluster({"name": "redis-prod.example.com\n\u202e"}).name == "redis-prod.example.com \\u202e"


@pytest.mark.parametrize("document", [None, {}, "nodes", {"nodes": NODES}])
def test_only_a_list_lists_nodes(document):
    with pytest.raises(UnreadableAnswer):
        parse_nodes(document)


def test_a_node_is_found_by_its_uid():
    nodes = parse_nodes(NODES)

    assert find_node(nodes, "1", frozenset()).status == "active"
    assert find_node(nodes, "2", frozenset()).status == "provisioning"
    assert find_node(nodes, "3", frozenset({"10.0.0.5"})) is None


def test_a_node_without_a_uid_is_found_by_a_unique_address():
    nodes = parse_nodes(NODES)

    assert find_node(nodes, "", frozenset({"192.0.2.6"})).uid == "2"
    assert find_node(parse_nodes([*NODES, NODES[0] | {"uid": 3}]), "", frozenset({"10.0.0.5"})) is None


@pytest.mark.parametrize(
    "entry", [None, 7, {}, {"uid": True, "status": "active"}, {"uid": 4}, {"uid": -1, "status": "x"}]
)
def test_incomplete_entries_are_left_out(entry):
    assert parse_nodes([entry]) == ()


def test_names_are_compared_as_dns_does():
    assert same_name("Redis-Prod.example.com", "redis-prod.example.com.")
    assert not same_name("redis-prod.example.com", "redis-test.example.com")


def test_a_cluster_tells_its_settings():
    cluster = parse_cluster(
        {
            "name": "redis-prod.example.com",
            "rack_aware": True,
            "upgrade_mode": False,
            "upgrade_in_progress": True,
            "cnm_https_port": 9443,
            "control_plane_basic_authentication": False,
        }
    )

    assert (cluster.rack_aware, cluster.is_upgrading, cluster.cnm_https_port) == (True, True, 9443)
    assert cluster.basic_authentication is False


def test_settings_of_another_type_are_unknown():
    odd = {"name": "redis-prod.example.com", "rack_aware": "yes", "upgrade_mode": 1, "cnm_https_port": 700_000}

    cluster = parse_cluster(odd)

    assert (cluster.rack_aware, cluster.cnm_https_port, cluster.is_upgrading) == (None, None, False)


def test_a_listed_node_has_its_rack_version_and_sizes():
    (node,) = parse_nodes(
        [
            {
                "uid": 3,
                "status": "active",
                "addr": "10.0.0.7",
                "external_addr": ["192.0.2.7"],
                "software_version": "7.22.0-216",
                "rack_id": "rack-c",
                "second_rack_id": None,
                "cores": 8,
                "total_memory": 16_600_000_000,
                "bigstore_size": 1081100128256.0,
                "persistent_storage_path": "/var/opt/redislabs/persist",
                "accept_servers": False,
                "shard_list": list(range(5000)),
            }
        ]
    )

    assert (node.addr, node.addresses) == ("10.0.0.7", ("10.0.0.7", "192.0.2.7"))
    assert (node.software_version, node.rack_id, node.second_rack_id) == ("7.22.0-216", "rack-c", "")
    assert (node.cores, node.total_memory, node.flash_size) == (8, 16_600_000_000, 1081100128256)
    assert (node.persistent_path, node.flash_path) == ("/var/opt/redislabs/persist", "")
    assert node.accept_servers is False


@pytest.mark.parametrize(
    ("status", "is_active", "is_down", "is_changing"),
    [
        ("active", True, False, False),
        ("down", False, True, False),
        ("provisioning", False, False, True),
        ("decommissioning", False, False, True),
        ("hibernating", False, False, True),
    ],
)
def test_a_node_is_active_down_or_changing(status, is_active, is_down, is_changing):
    (node,) = parse_nodes([{"uid": 1, "status": status}])

    assert (node.is_active, node.is_down, node.is_changing) == (is_active, is_down, is_changing)


def test_member_states_tell_roles_and_maintenance():
    snapshot = {"created_time": "2024-09-06 20:47:23", "name": "maintenance_mode_2024-09-06", "node_uid": "1"}

    states = parse_member_states(
        {"1": {"role": "master", "maintenance_snapshot": snapshot}, "2": {"role": "slave"}, "3": "down", "": {}}
    )

    assert states == (MemberState("1", "master", "maintenance_mode_2024-09-06"), MemberState("2", "slave"))
    assert states[0].is_primary
    assert parse_member_states({"4": {"maintenance_snapshot": {"odd": 1}}})[0].maintenance == "a maintenance snapshot"


def test_actions_are_those_that_have_not_ended():
    running = parse_actions(
        {
            "actions": [
                {"name": "retry_bdb", "node_uid": "2", "progress": "100", "status": "completed"},
                {"name": "migrate_shard", "node_uid": "2", "progress": "40", "status": "running"},
                {"name": "remove_node", "status": "FAILED"},
                {"status": "queued"},
                {"name": "no status"},
                7,
            ],
            "state-machines": [{"name": "SMCreateBDB", "object_name": "bdb:1", "status": "active"}],
        }
    )

    assert running == (
        RunningAction("migrate_shard", "running", "", "2"),
        RunningAction("an action", "queued"),
        RunningAction("SMCreateBDB", "active", "bdb:1"),
    )
    assert [action.label for action in running] == ["migrate_shard on node 2", "an action", "SMCreateBDB on bdb:1"]


def test_actions_may_be_a_bare_list():
    assert parse_actions([]) == ()
    assert parse_actions([{"name": "SMUpgrade", "status": "pending"}])[0].name == "SMUpgrade"


def test_a_license_has_its_terms_and_use():
    terms = parse_license(
        {
            "license": "----- LICENSE START -----",
            "expired": False,
            "expiration_date": "2027-12-31T00:00:00Z",
            "shards_limit": 400,
            "ram_shards_limit": 300,
            "ram_shards_in_use": 12,
            "flash_shards_limit": 100,
            "flash_shards_in_use": 3,
        }
    )

    assert (terms.expired, terms.expires, terms.shards_limit) == (False, "2027-12-31T00:00:00Z", 400)
    assert terms.shards_in_use == 15
    assert parse_license({"expired": "no", "shards_limit": -4}) == LicenseFacts()
    assert LicenseFacts().shards_in_use is None


def test_modules_have_a_name_and_a_version():
    modules = parse_modules(
        [
            {"module_name": "search", "semantic_version": "2.10.5", "version": 21005, "is_bundled": True},
            {"module_name": "geo", "version": 3, "is_bundled": False},
            {"uid": "of a module without a name"},
        ]
    )

    assert modules == (Module("search", "2.10.5", True), Module("geo", "3", False))
    assert [module.label for module in modules] == ["search 2.10.5", "geo 3"]


@pytest.mark.parametrize(
    ("parse", "document"),
    [
        (parse_member_states, []),
        (parse_actions, {"actions": "none"}),
        (parse_actions, None),
        (parse_license, []),
        (parse_modules, {"modules": []}),
    ],
)
def test_an_answer_of_another_shape_is_refused(parse, document):
    with pytest.raises(UnreadableAnswer):
        parse(document)


@pytest.mark.parametrize(
    ("parse", "document"),
    [
        (parse_nodes, [{"uid": number, "status": "active"} for number in range(5000)]),
        (parse_member_states, {str(number): {"role": "slave"} for number in range(5000)}),
        (parse_actions, {"actions": [{"name": "a", "status": "active"}] * 5000}),
        (parse_modules, [{"module_name": "search"}] * 5000),
    ],
)
def test_what_is_kept_of_an_answer_is_limited(parse, document):
    assert len(parse(document)) <= 1000


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30)
KEYS = st.sampled_from(
    [
        *("name", "rack_aware", "upgrade_mode", "cnm_https_port", "uid", "status", "addr", "external_addr", "rack_id"),
        *("total_memory", "bigstore_size", "role", "maintenance_snapshot", "actions", "state-machines", "object_name"),
        *("expired", "expiration_date", "shards_limit", "module_name", "version", "is_bundled", "node_uid"),
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda kids: st.lists(kids, max_size=5) | st.dictionaries(KEYS | st.text(max_size=5), kids, max_size=8),
    max_leaves=20,
)
PARSERS = (
    parse_actions,
    parse_cluster,
    parse_license,
    parse_lockout,
    parse_member_states,
    parse_modules,
    parse_nodes,
)


@given(JSON)
def test_any_answer_is_read_or_refused(document):
    for parse in PARSERS:
        with suppress(UnreadableAnswer):
            read = parse(document)
            for part in read if isinstance(read, tuple) else (read,):
                texts = [value for value in asdict(part).values() if isinstance(value, str)]
                assert all(len(text) <= 300 and "\n" not in text and "\0" not in text for text in texts)
