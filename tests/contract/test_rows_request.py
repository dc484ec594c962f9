"""Each header and field of a request, by what it changes."""

import ipaddress

import pytest

from setup_wizard.reference_node.license import License, write_license
from tests.reference_node.conftest import MARIA, create_request, join_body

from .conftest import NAME
from .node_calls import addresses, create, create_in, create_with, info, own_entry, refused, wait_signed_in

FAR_FUTURE = 4_000_000_000  # in the year 2096
EXTERNAL = ["2001:db8:85a3::8a2e:370:7334", "3.4.5.6"]


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_row_get_header_accept_is_answered_with_json(idle_node, accept):
    answer = idle_node.ask("GET", "/v1/bootstrap", headers={"Accept": accept})

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["bootstrap_status"]["state"] == "idle"


@pytest.mark.parametrize("host", ["cnm.cluster.fqdn", NAME, "10.0.0.5:9443"])
def test_row_post_header_host_may_be_the_name_of_the_cluster(idle_node, host):
    answer = idle_node.ask("POST", "/v1/bootstrap/create_cluster", json=[], headers={"Host": host})

    assert answer.status_code == 400  # read as any other: it is a list
    assert "must be a JSON object" in answer.json()["description"]


def test_row_post_header_host_cannot_be_left_out(idle_node):
    request = create_request().replace(b"Host: node\r\n", b"")

    with idle_node.connect() as connection:
        connection.sendall(request)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert idle_node.status() == {"state": "idle"}


def test_row_post_header_accept_is_answered_with_json(idle_node):
    answer = idle_node.ask("POST", "/v1/bootstrap/create_cluster", json=[], headers={"Accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_code"] == "config_error"


def test_row_request_action_must_be_the_one_of_the_path(node):
    assert refused(node, action="join_cluster").startswith("action: ")
    assert refused(node, action=7).startswith("action: ")
    assert create(node, action="create_cluster")["state"] == "completed"


def test_row_request_cluster_is_an_object_that_names_the_cluster(idle_node):
    assert refused(idle_node, cluster="redis-prod.example.com").startswith("cluster: ")
    assert refused(idle_node, cluster={}).startswith("cluster.name: ")


def test_row_request_cluster_nodes_are_tried_until_a_member_answers(node, member):
    body = join_body(member) | {"cluster": {"nodes": ["127.0.0.254", member.host]}}

    node.post("join_cluster", body)

    assert node.wait_until("completed", "error")["state"] == "completed"
    assert info(node)["uid"] != info(member)["uid"]


def test_row_request_cluster_name_is_the_name_that_the_cluster_gets(node):
    create(node, cluster={"nodes": [], "name": "my.cluster"})

    assert node.get("/v1/cluster", auth=MARIA).json()["name"] == "my.cluster"


def test_row_request_node_is_an_object(idle_node):
    assert refused(idle_node, node=["127.0.0.1"]).startswith("node: ")
    assert refused(idle_node, node={"identity": "127.0.0.1"}).startswith("node.identity: ")


def test_row_request_node_paths_persistent_path_holds_the_data(node, tmp_path):
    create_in(node, persistent_path=tmp_path / "persist")

    assert (tmp_path / "persist").is_dir()
    assert info(node)["persistent_storage_path"] == str(tmp_path / "persist")


def test_row_request_node_paths_ephemeral_path_holds_scratch_files(node, tmp_path):
    create_in(node, ephemeral_path=tmp_path / "ephemeral")

    assert (tmp_path / "ephemeral").is_dir()
    assert info(node)["ephemeral_storage_path"] == str(tmp_path / "ephemeral")


def test_row_request_node_paths_bigstore_path_is_made_for_flash(node, tmp_path):
    assert create_in(node, bigstore_path=tmp_path / "flash")["state"] == "completed"

    assert (tmp_path / "flash").is_dir()


@pytest.mark.parametrize("driver", ["rocksdb", "speedb"])
def test_row_request_node_bigstore_driver_may_be_each_that_nodes_have(node, driver):
    assert create(node, node={"bigstore_driver": driver})["state"] == "completed"


def test_row_request_node_identity_addr_is_used_by_the_cluster(start):
    node = start(bind="0.0.0.0")
    chosen = addresses(node)[-1]["address"]

    create_with(node, addr=chosen)

    assert own_entry(node)["addr"] == chosen


def test_row_request_node_identity_external_addr_is_shown_to_the_others(node):
    create_with(node, external_addr=EXTERNAL)

    assert own_entry(node)["external_addr"] == EXTERNAL


def test_row_request_recovery_filename_names_the_record_by_its_whole_path(start, saved):
    node = start("node-1")

    node.recover(saved.with_name("absent.rdb"))
    failed = node.wait_until("completed", "error")
    node.recover(saved)

    assert failed["error_code"] == "path_error"
    assert "absent.rdb" in failed["error_details"]["message"]
    assert node.wait_until("completed")["state"] == "completed"


def test_row_request_license_is_what_the_cluster_is_licensed_by(node):
    text = write_license(License(cluster=NAME, expires=FAR_FUTURE, shards=12))

    assert create(node, license=text)["state"] == "completed"

    assert node.get("/v1/license", auth=MARIA).json()["shards_limit"] == 12


def test_row_request_credentials_are_needed(idle_node):
    assert refused(idle_node, credentials={}).startswith("credentials.username: ")
    assert refused(idle_node, credentials="maria@example.com").startswith("credentials: ")


def test_row_request_credentials_username_is_who_signs_in_afterwards(node):
    john = ("john@example.com", MARIA[1])

    node.create(credentials={"username": john[0], "password": john[1]})

    assert wait_signed_in(node, john)["state"] == "completed"
    assert node.get(auth=MARIA).status_code == 401


def test_row_request_credentials_password_is_what_signs_in_afterwards(node):
    create(node)

    assert node.get(auth=MARIA).status_code == 200
    assert node.get(auth=(MARIA[0], MARIA[1] + " ")).status_code == 401
    assert node.get(auth=(MARIA[0], "")).status_code == 401


def example_node(tmp_path, address, *, bigstore):
    """The node object of both examples, with paths and an address that are there."""
    return {
        "paths": {
            "persistent_path": str(tmp_path / "persistent"),
            "ephemeral_path": str(tmp_path / "ephemeral"),
            "bigstore_path": str(tmp_path / bigstore),
        },
        "bigstore_driver": "rocksdb",
        "identity": {"addr": address, "external_addr": ["2001:0db8:85a3:0000:0000:8a2e:0370:7334", "3.4.5.6"]},
    }


def test_row_request_example_create_is_accepted_whole(node, tmp_path):
    body = {
        "action": "create_cluster",
        "cluster": {"nodes": [], "name": "my.cluster"},
        "node": example_node(tmp_path, node.host, bigstore="bigredis"),
        "license": "",
        "credentials": {"username": "my_username", "password": "my_password"},
    }

    answer = node.post("create_cluster", body)

    assert (answer.status_code, answer.content) == (200, b"")
    signed_in = ("my_username", "my_password")
    assert wait_signed_in(node, signed_in)["state"] == "completed"
    [entry] = node.get("/v1/nodes", auth=signed_in).json()
    assert [ipaddress.ip_address(each) for each in entry["external_addr"]] == [
        ipaddress.ip_address(each) for each in EXTERNAL
    ]


def test_row_request_example_join_is_accepted_whole(start, tmp_path):
    first = start("first", bind="127.0.0.2")
    second = start("second", bind="127.0.0.3")
    create(first)
    body = {
        "action": "join_cluster",
        "cluster": {"nodes": ["127.0.0.254", first.host]},
        "node": example_node(tmp_path, second.host, bigstore="bigstore"),
        "credentials": {"username": MARIA[0], "password": MARIA[1]},
        "cnm_https_port": first.port,  # real nodes all have one port, the tests' have any that is free
    }

    answer = second.post("join_cluster", body)

    assert (answer.status_code, answer.content) == (200, b"")
    assert second.wait_until("completed", "error")["state"] == "completed"
    assert own_entry(second)["addr"] == "127.0.0.3"


def test_row_request_minimal_subset_is_enough(node):
    body = {"cluster": {"name": "my.cluster"}, "credentials": {"username": MARIA[0], "password": MARIA[1]}}

    answer = node.post("create_cluster", body)

    assert answer.status_code == 200
    assert node.wait_until("completed", "error")["state"] == "completed"
