"""What a node says of itself: the machine's true values, in the API's units."""

import ipaddress
import os
import platform
import shutil
import socket
import time
from pathlib import Path

import pytest

from setup_wizard.reference_node.machine import bound_addresses, describe_address
from setup_wizard.reference_node.options import Dialect
from tests.reference_node.conftest import Caller

from .node_calls import addresses, create, info, own_entry


@pytest.fixture(scope="module", params=list(Dialect))
def dialect(request):
    return request.param


def test_row_local_node_info_uid_is_what_the_cluster_calls_the_node(start, idle_node, dialect):
    first, second = start("first"), start("second")
    create(first)
    second.join(first)
    second.wait_until("completed")

    shown = [info(node)["uid"] for node in (first, second)]

    # an int in the page's example, a string on the nodes that were seen
    assert shown == ([1, 2] if dialect is Dialect.PUBLISHED else ["1", "2"])
    assert info(idle_node).get("uid") is None


def test_row_local_node_info_software_version_has_a_build_number(member):
    version, _, build = info(member)["software_version"].partition("-")

    assert all(part.isdecimal() for part in [*version.split("."), build])
    assert own_entry(member)["software_version"] == f"{version}-{build}"


def test_row_local_node_info_cores_are_those_of_the_machine(idle_node):
    assert info(idle_node)["cores"] == os.cpu_count()


def test_row_local_node_info_ephemeral_storage_path_is_a_directory(idle_node, tmp_path_factory):
    path = Path(info(idle_node)["ephemeral_storage_path"])

    assert path.is_dir()
    assert path.is_relative_to(tmp_path_factory.getbasetemp())


def test_row_local_node_info_ephemeral_storage_size_is_in_bytes(idle_node):
    known = info(idle_node)

    assert known["ephemeral_storage_size"] == shutil.disk_usage(known["ephemeral_storage_path"]).total


def test_row_local_node_info_os_version_is_that_of_the_machine(idle_node):
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}

    assert info(idle_node)["os_version"] == release.get("PRETTY_NAME", f"{platform.system()} {platform.release()}")


def test_row_local_node_info_persistent_storage_path_is_a_directory(idle_node, tmp_path_factory):
    known = info(idle_node)

    assert Path(known["persistent_storage_path"]).is_dir()
    assert Path(known["persistent_storage_path"]).is_relative_to(tmp_path_factory.getbasetemp())
    assert known["persistent_storage_path"] != known["ephemeral_storage_path"]


def test_row_local_node_info_persistent_storage_size_is_in_bytes(idle_node):
    known = info(idle_node)

    assert known["persistent_storage_size"] == shutil.disk_usage(known["persistent_storage_path"]).total


def test_row_local_node_info_total_memory_is_that_of_the_machine_in_bytes(idle_node):
    memory = info(idle_node)["total_memory"]

    assert memory == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert isinstance(memory, int)


def test_row_local_node_info_uptime_is_in_seconds(idle_node):
    uptime = info(idle_node)["uptime"]

    assert isinstance(uptime, int)
    assert 0 <= time.clock_gettime(time.CLOCK_BOOTTIME) - uptime < 30


def test_row_local_node_info_available_addrs_answer_requests(idle_node, dialect):
    assert ("available_addrs" in info(idle_node)) is (dialect is Dialect.PUBLISHED)
    assert [entry["address"] for entry in addresses(idle_node)] == [idle_node.host]


def test_row_local_node_info_available_addrs_address_can_be_connected_to(start):
    node = start(bind="0.0.0.0")

    shown = [entry["address"] for entry in addresses(node)]
    answered = [Caller(f"{address}:{node.port}").get().status_code for address in shown]

    assert "127.0.0.1" in shown
    assert set(answered) == {200}


def test_row_local_node_info_available_addrs_format_is_that_of_the_address(start):
    here = [address for address in ("127.0.0.1", "::1") if address in bound_addresses("::")]

    shown = [entry for address in here for entry in addresses(start(address, bind=address))]

    assert {entry["address"]: entry["format"] for entry in shown} == {
        address: "ipv6" if ":" in address else "ipv4" for address in here
    }


def test_row_local_node_info_available_addrs_if_name_is_an_interface(idle_node):
    [entry] = addresses(idle_node)

    assert entry["if_name"] in {name for _, name in socket.if_nameindex()}
    assert entry["if_name"].startswith("lo")


def test_row_local_node_info_available_addrs_private_of_internal_ones(start):
    entries = addresses(start(bind="0.0.0.0"))

    assert entries
    for entry in entries:
        assert entry["private"] is ipaddress.ip_address(entry["address"]).is_private


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_row_local_node_info_available_addrs_private_of_public_ones(address):
    assert describe_address(address)["private"] is False
