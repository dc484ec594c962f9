import ipaddress
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from setup_wizard.reference_node import machine
from setup_wizard.reference_node.membership import hash_password, password_matches

from .conftest import MARIA, Caller, wait_for


def test_an_idle_node_takes_a_basic_sign_in_all_the_same(idle_node):
    assert idle_node.get(auth=MARIA).status_code == 200


def test_a_node_shows_the_true_facts_of_its_machine(node, tmp_path):
    facts = node.get().json()["local_node_info"]

    kibibytes = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1])
    assert facts["total_memory"] == kibibytes * 1024
    assert facts["cores"] == os.cpu_count()
    assert abs(facts["uptime"] - float(Path("/proc/uptime").read_text().split()[0])) < 5
    assert facts["os_version"] in Path("/etc/os-release").read_text()
    assert facts["persistent_storage_size"] == float(shutil.disk_usage(tmp_path).total)
    assert facts["ephemeral_storage_path"] == str(tmp_path / "node-1" / "tmp")
    assert facts["software_version"] == "7.22.0-216"
    assert "uid" not in facts


def test_a_node_names_only_the_address_that_it_is_bound_to(serve):
    facts = Caller(serve(bind="127.0.0.2").address).get().json()["local_node_info"]

    assert facts["available_addresses"] == [
        {"address": "127.0.0.2", "format": "ipv4", "if_name": "lo", "private": True}
    ]


def test_a_node_bound_to_all_addresses_lists_them_with_interfaces():
    found = machine.bound_addresses("0.0.0.0")

    described = [machine.describe_address(address) for address in found]

    assert "127.0.0.1" in found
    assert all(entry["if_name"] for entry in described)
    assert all(ipaddress.ip_address(address).version == 4 for address in found)


def test_a_completed_bootstrap_has_both_times_and_a_uid(lasting_member):
    answer = lasting_member.get(auth=MARIA).json()

    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(form, answer["bootstrap_status"]["start_time"])
    assert re.fullmatch(form, answer["bootstrap_status"]["end_time"])
    assert answer["local_node_info"]["uid"] == "1"


@pytest.mark.parametrize("auth", [None, (MARIA[0], "wrong"), ("bob@example.com", MARIA[1])])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/bootstrap"),
        ("POST", "/v1/bootstrap/create_cluster"),
        ("POST", "/v1/bootstrap/join_cluster"),
        ("GET", "/v1/nodes"),
        ("GET", "/v1/cluster"),
        ("POST", "/_cluster/admission"),
        ("POST", "/_cluster/exchange"),
    ],
)
def test_a_member_wants_the_administrators_sign_in(lasting_member, method, path, auth):
    answer = lasting_member.ask(method, path, auth=auth, json={} if method == "POST" else None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer x", "basic /w==", "Basic "])
def test_an_unreadable_sign_in_is_refused_like_a_wrong_one(lasting_member, header):
    assert lasting_member.ask("GET", "/v1/bootstrap", headers={"Authorization": header}).status_code == 401


def test_the_sign_in_is_required_while_the_cluster_is_being_created(serve):
    node = Caller(serve(pace=1).address)
    node.create()

    wait_for(node.wants_a_sign_in)

    assert node.status()["state"] == "creating_cluster"


@pytest.mark.parametrize("path", ["/v1/nodes", "/v1/cluster", "/_cluster/admission", "/_cluster/exchange"])
def test_a_node_without_a_cluster_answers_503_about_it(idle_node, path):
    method = "POST" if path.startswith("/_") else "GET"

    assert idle_node.ask(method, path, json={}).status_code == 503


def test_after_an_error_the_next_request_gets_a_later_start_time(node, tmp_path):
    node.create(node={"paths": {"persistent_path": str(tmp_path / "a" / "b")}})
    failed = node.wait_until("error")

    answer = node.create()

    assert answer.status_code == 200
    assert node.wait_until("completed")["start_time"] > failed["start_time"]
    assert "error_code" not in node.status()


def test_the_password_is_nowhere_on_the_disk_at_any_time(serve, tmp_path):
    node = Caller(serve(pace=0.3).address)

    def kept() -> bytes:
        content = b""
        for path in (tmp_path / "node-1").rglob("*"):
            with suppress(FileNotFoundError):  # the store replaces its file now and then
                content += path.read_bytes() if path.is_file() else b""
        return content

    node.create()
    during = kept()
    node.wait_until("completed")
    after = kept()

    for content in (during, after):
        assert MARIA[1].encode() not in content
    assert hash_password(MARIA[1]).encode() in after
    assert b'"pending": null' in after


def test_a_hash_knows_its_password():
    kept = hash_password("correct horse")

    assert password_matches("correct horse", kept)
    assert not password_matches("correct horses", kept)
    assert "correct horse" not in kept
