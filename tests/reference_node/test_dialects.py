"""The two dialects: the published page's spelling and types, and those that real nodes were seen to use."""

import ipaddress
import shutil

from setup_wizard.reference_node.options import Dialect

from .conftest import MARIA, Caller

SEED_KEYS = {
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
    node = Caller(serve(dialect=Dialect.SEED).address)
    idle = node.get().json()["local_node_info"]
    node.create()
    node.wait_until("completed")

    member = node.get(auth=MARIA).json()["local_node_info"]

    assert set(idle) == SEED_KEYS
    assert set(member) == SEED_KEYS | {"uid"}
    assert member["uid"] == 1
    assert isinstance(member["persistent_storage_size"], float)
    assert isinstance(member["total_memory"], int)


def test_real_nodes_say_addresses_in_full_and_more_of_themselves(node):
    idle = node.get().json()["local_node_info"]
    node.create()
    node.wait_until("completed")

    member = node.get(auth=MARIA).json()["local_node_info"]

    assert set(idle) > SEED_KEYS - {"available_addrs"} | {"available_addresses", "bridge_interfaces", "fips_enabled"}
    assert "uid" not in idle
    assert member["uid"] == "1"


def test_both_say_the_same_of_addresses_and_disks(serve, tmp_path):
    page, real = (Caller(serve(name, dialect=name).address).get().json()["local_node_info"] for name in Dialect)

    assert page["available_addrs"] == real["available_addresses"]
    assert [set(entry) for entry in page["available_addrs"]] == [{"address", "format", "if_name", "private"}]
    assert ipaddress.ip_address(page["available_addrs"][0]["address"]).is_loopback
    assert page["persistent_storage_size"] == real["persistent_storage_size"] == shutil.disk_usage(tmp_path).total


def test_both_say_the_same_of_an_error(serve):
    details = []
    for name in Dialect:
        node = Caller(serve(name, dialect=name).address)
        node.create(node={"identity": {"addr": "10.0.0.5"}})
        details.append(node.wait_until("error")["error_details"])

    assert details[0] == details[1]
