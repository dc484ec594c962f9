"""The two dialects: the published page's spelling and types, and those that real nodes were seen to use."""

import ipaddress
import json
import shutil

import pytest

from setup_wizard.bootstrap.status import NodeFacts, parse_answer
from setup_wizard.reference_node.options import Dialect

from .conftest import MARIA, Caller

PUBLISHED_KEYS = {
    "software_version",
    "cores",
    "ephemeral_storage_path",
    "ephemeral_storage_size",
    "os_version",
    "persistent_storage_path",
    "persistent_storage_size",
    "total_memory",
    "uptime",
    "available_addrs",
}


def test_the_page_has_its_keys_and_no_others(serve):
    node = Caller(serve(dialect=Dialect.PUBLISHED).address)
    idle = node.get().json()["local_node_info"]
    node.create()
    node.wait_until("completed")

    member = node.get(auth=MARIA).json()["local_node_info"]

    assert set(idle) == PUBLISHED_KEYS
    assert set(member) == PUBLISHED_KEYS | {"uid"}
    assert member["uid"] == 1
    assert isinstance(member["persistent_storage_size"], float)
    assert isinstance(member["total_memory"], int)


def test_the_recorded_dialect_has_full_addresses_and_more_facts(node):
    idle = node.get().json()["local_node_info"]
    node.create()
    node.wait_until("completed")

    member = node.get(auth=MARIA).json()["local_node_info"]

    assert set(idle) > PUBLISHED_KEYS - {"available_addrs"} | {
        "available_addresses",
        "bridge_interfaces",
        "fips_enabled",
    }
    assert "uid" not in idle
    assert member["uid"] == "1"


def test_both_dialects_show_the_same_addresses_and_disks(serve, tmp_path):
    page, real = (Caller(serve(name, dialect=name).address).get().json()["local_node_info"] for name in Dialect)

    assert page["available_addrs"] == real["available_addresses"]
    assert [set(entry) for entry in page["available_addrs"]] == [{"address", "format", "if_name", "private"}]
    assert ipaddress.ip_address(page["available_addrs"][0]["address"]).is_loopback
    assert page["persistent_storage_size"] == real["persistent_storage_size"] == shutil.disk_usage(tmp_path).total


def test_both_dialects_show_the_same_error(serve):
    details = []
    for name in Dialect:
        node = Caller(serve(name, dialect=name).address)
        node.create(node={"identity": {"addr": "10.0.0.5"}})
        details.append(node.wait_until("error")["error_details"])

    assert details[0] == details[1]


# the keys of answers that were recorded from a real node; upgrade_mode and bigstore_size are documented
RECORDED = {
    "/v1/bootstrap": {"cnm_version_sha", "supported_database_versions", "bigstore_size", "bigredis_storage_path"},
    "/v1/cluster": {
        "bigstore_driver",
        "cnm_http_port",
        "cnm_https_port",
        "created_time",
        "mtls_certificate_authentication",
        "name",
        "password_complexity",
        "password_min_length",
        "rack_aware",
        "upgrade_in_progress",
        "upgrade_mode",
        "use_external_ipv6",
        "use_ipv6",
    },
    "/v1/license": {
        "activation_date",
        "cluster_name",
        "expiration_date",
        "expired",
        "features",
        "flash_shards_in_use",
        "flash_shards_limit",
        "key",
        "license",
        "owner",
        "ram_shards_in_use",
        "ram_shards_limit",
        "shards_limit",
    },
    "/v1/nodes/1": {
        "accept_servers",
        "addr",
        "architecture",
        "bigredis_storage_path",
        "bigstore_enabled",
        "bigstore_size",
        "cores",
        "ephemeral_storage_path",
        "ephemeral_storage_size",
        "external_addr",
        "fips_enabled",
        "flash_shard_count",
        "max_listeners",
        "max_redis_forks",
        "max_redis_servers",
        "max_slave_full_syncs",
        "os_family",
        "os_name",
        "os_semantic_version",
        "os_version",
        "persistent_storage_path",
        "persistent_storage_size",
        "rack_id",
        "ram_shard_count",
        "second_rack_id",
        "shard_count",
        "shard_list",
        "software_version",
        "status",
        "supported_database_versions",
        "total_memory",
        "uid",
        "uptime",
        "use_internal_ipv6",
    },
}


@pytest.mark.parametrize("path", sorted(RECORDED.keys() - {"/v1/bootstrap"}))
def test_an_answer_has_the_recorded_keys(lasting_member, path):
    assert set(lasting_member.get(path, auth=MARIA).json()) == RECORDED[path]


def test_a_node_in_the_list_is_the_node_by_its_uid(lasting_member):
    [listed] = lasting_member.get("/v1/nodes", auth=MARIA).json()
    found = lasting_member.get("/v1/nodes/1", auth=MARIA).json()

    assert {**listed, "uptime": 0} == {**found, "uptime": 0}
    assert lasting_member.get("/v1/nodes/2", auth=MARIA).status_code == 404
    assert lasting_member.get("/v1/nodes/2").status_code == 401


def test_a_node_shows_its_version_and_flash_as_the_vendor_does(idle_node):
    facts = idle_node.get().json()["local_node_info"]

    assert set(facts) >= RECORDED["/v1/bootstrap"]
    assert "bigredis_storage_size" not in facts


def test_the_wizard_reads_the_flash_size_of_a_node(idle_node):
    document = idle_node.get().json()

    facts = parse_answer(document).node

    assert facts.bigredis_storage_size == document["local_node_info"]["bigstore_size"]
    assert NodeFacts.from_json(facts.as_json()) == facts


def test_a_member_shows_the_settings_of_its_request(serve):
    first, second = Caller(serve("first").address), Caller(serve("second").address)
    first.create(node={"bigstore_driver": "rocksdb"})
    first.wait_until("completed")
    identity = {"accept_servers": False, "rack_id": "rack-a", "second_rack_id": "room-1"}
    second.join(first, node={"identity": identity, "limits": {"max_listeners": 7}})
    second.wait_until("completed")

    for member in (first, second):
        shown = member.get("/v1/nodes/2", auth=MARIA).json()
        assert {**shown, **identity, "max_listeners": 7, "max_redis_servers": 100} == shown
        assert member.get("/v1/cluster", auth=MARIA).json()["bigstore_driver"] == "rocksdb"


@pytest.mark.parametrize("path", sorted(RECORDED))
def test_an_answer_is_compact_json(lasting_member, path):
    for answer in (lasting_member.get(path, auth=MARIA), lasting_member.get(path)):
        assert answer.text == json.dumps(answer.json(), separators=(",", ":"))
