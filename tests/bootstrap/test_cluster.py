"""What a cluster says of itself, and what it may not be read as."""

import pytest

from setup_wizard.bootstrap.status import UnreadableAnswer, find_node, parse_cluster_name, parse_nodes, same_name

NODES = [
    {"uid": 1, "addr": "10.0.0.5", "status": "active"},
    {"uid": "2", "addr": "10.0.0.6", "external_addr": ["192.0.2.6"], "status": "provisioning"},
]


@pytest.mark.parametrize("document", [None, [], {}, {"name": ""}, {"name": 7}, {"name": ["redis-prod.example.com"]}])
def test_a_cluster_without_a_name_is_refused(document):
    with pytest.raises(UnreadableAnswer):
        parse_cluster_name(document)


def test_a_cluster_name_is_one_visible_line():
    assert parse_cluster_name({"name": "redis-prod.example.com\n\u202e"}) == "redis-prod.example.com \\u202e"


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
