"""Codes of the cluster that a node is to join, by the cause that the API's page gives for each."""

import json
import socket

import pytest

from tests.contract.error_codes.outcomes import GIB, ends_in, statuses
from tests.reference_node.conftest import MARIA, Caller


def test_code_connect_error_when_nothing_listens_there(fresh):
    node = fresh()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there
        address = f"127.0.0.1:{silent.getsockname()[1]}"

        node.join(Caller(address))

        details = ends_in(node, "connect_error")
    assert details["nodes"] == [{"node": address, "message": details["message"]}]
    assert "connection refused" in details["message"]


def test_code_connect_error_when_the_name_does_not_resolve(fresh):
    node = fresh()

    node.join(node, cluster={"nodes": ["no-such-node.invalid"]})

    assert "no-such-node.invalid cannot be resolved" in ends_in(node, "connect_error")["message"]


def test_code_connect_error_when_the_node_there_is_in_no_cluster(fresh):
    node, lonely = fresh(), fresh("lonely")

    node.join(lonely)

    assert f"{lonely.address} is not a member of a cluster" in ends_in(node, "connect_error")["message"]


@pytest.mark.parametrize("credentials", [(MARIA[0], "mistyped"), ("john@example.com", MARIA[1])])
def test_code_access_denied_when_the_cluster_does_not_know_the_credentials(cluster, fresh, credentials):
    member, node = cluster(), fresh()
    username, password = credentials

    node.join(member, credentials={"username": username, "password": password})

    details = ends_in(node, "access_denied")
    assert details["node"] == member.address
    assert username in details["message"]
    assert password not in json.dumps(details)
    assert statuses(member) == ["active"]


def test_code_repair_required_while_a_member_is_down(broken_cluster, fresh):
    first, third = broken_cluster({"node": {"identity": {"rack_id": "rack-b"}}}), fresh("third")

    third.join(first)

    details = ends_in(third, "repair_required")
    assert details["failed_nodes"] == [{"uid": 2, "rack_id": "rack-b"}]
    assert details["replace_candidate"] == 2
    assert "node 2" in details["message"]
    assert statuses(first) == ["active", "down"]


def test_code_repair_required_leaves_out_a_rack_that_there_is_not(broken_cluster, fresh):
    first, third = broken_cluster(), fresh("third")

    third.join(first)

    assert ends_in(third, "repair_required")["failed_nodes"] == [{"uid": 2}]


def test_code_insufficient_node_memory_of_a_smaller_replacement(broken_cluster, fresh):
    first, third = broken_cluster(memory=16 * GIB), fresh("third", memory=8 * GIB)

    third.join(first, node={"identity": {"uid": 2}})

    details = ends_in(third, "insufficient_node_memory")
    assert details["required_memory"] == 16 * GIB
    assert str(8 * GIB) in details["message"]
    assert statuses(first) == ["active", "down"]


def test_code_insufficient_node_flash_of_a_smaller_replacement(broken_cluster, fresh):
    first = broken_cluster({"node": {"bigstore_enabled": True}}, flash=400 * GIB)
    third = fresh("third", flash=399 * GIB)

    third.join(first, node={"identity": {"uid": 2}, "bigstore_enabled": True})

    details = ends_in(third, "insufficient_node_flash")
    assert details["required_flash"] == 400 * GIB
    assert str(399 * GIB) in details["message"]
    assert statuses(first) == ["active", "down"]


def test_a_node_that_used_no_flash_asks_none_of_its_replacement(broken_cluster, fresh):
    first, third = broken_cluster(flash=400 * GIB), fresh("third", flash=1 * GIB)

    third.join(first, node={"identity": {"uid": 2}})

    assert third.wait_until("completed", "error")["state"] == "completed"


@pytest.mark.parametrize(("offset", "words"), [(3600, "ahead of"), (-3600, "behind")])
def test_code_time_not_sync_when_the_clocks_differ(cluster, fresh, offset, words):
    member, node = cluster(), fresh(clock_offset=offset)

    node.join(member)

    details = ends_in(node, "time_not_sync")
    assert details["tolerance_seconds"] == 30
    assert abs(details["difference_seconds"] - offset) < 10
    assert words in details["message"]
    assert statuses(member) == ["active"]


def test_clocks_that_are_wrong_together_are_in_step(cluster, fresh):
    member, node = cluster(clock_offset=3600), fresh(clock_offset=3602)

    node.join(member)

    assert node.wait_until("completed", "error")["state"] == "completed"


def test_code_rack_id_required_in_a_cluster_that_is_rack_aware(cluster, fresh):
    member = cluster({"policy": {"rack_aware": True}, "node": {"identity": {"rack_id": "rack-b"}}})
    second, third = fresh("second"), fresh("third")
    second.join(member, node={"identity": {"rack_id": "rack-a"}})
    second.wait_until("completed")

    third.join(member)

    details = ends_in(third, "rack_id_required")
    assert details["current_rack_ids"] == ["rack-a", "rack-b"]
    assert "rack-a, rack-b" in details["message"]


def test_code_socket_directory_mismatch_names_both(cluster, fresh):
    member, node = cluster(), fresh(socket_directory="/tmp/sockets")

    node.join(member)

    details = ends_in(node, "socket_directory_mismatch")
    assert (details["node_value"], details["cluster_value"]) == ("/tmp/sockets", "/var/opt/redislabs/run")


@pytest.mark.parametrize(
    ("setting", "here", "there"),
    [
        ("install_dir", "/srv/redislabs", "/opt/redislabs"),
        ("config_dir", "/srv/etc", "/etc/opt/redislabs"),
        ("os_user", "redis", "redislabs"),
    ],
)
def test_code_node_config_mismatch_names_the_setting_and_both_values(cluster, fresh, setting, here, there):
    member, node = cluster(), fresh(**{setting: here})

    node.join(member)

    details = ends_in(node, "node_config_mismatch")
    assert details["mismatches"] == [{"setting": setting, "node_value": here, "cluster_value": there}]
    assert here in details["message"]
    assert there in details["message"]


def test_code_node_config_mismatch_names_every_setting_that_differs(cluster, fresh):
    member, node = cluster(), fresh(install_dir="/srv/redislabs", os_user="redis")

    node.join(member)

    assert [each["setting"] for each in ends_in(node, "node_config_mismatch")["mismatches"]] == [
        "install_dir",
        "os_user",
    ]
