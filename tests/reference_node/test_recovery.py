import json
import shutil
from pathlib import Path

import pytest

from setup_wizard.reference_node.node import Node

from .background import background
from .conftest import MARIA, Caller, recover_body, wait_for
from .test_certificate import shown_by


@pytest.fixture(scope="module")
def old_nodes(tmp_path_factory) -> Path:
    """redis-prod.example.com, which had two nodes: `first` and `second` in this directory, both stopped."""
    directory = tmp_path_factory.mktemp("old")
    with background(Node(directory / "first", pace=0.0)) as first:
        member = Caller(first.address)
        member.create(policy={"rack_aware": True}, node={"identity": {"rack_id": "rack-a"}})
        member.wait_until("completed")
        with background(Node(directory / "second", pace=0.0)) as second:
            Caller(second.address).join(member, node={"identity": {"rack_id": "rack-b"}})
            assert Caller(second.address).wait_until("completed", "error")["state"] == "completed"
    return directory


@pytest.fixture
def old_file(old_nodes, tmp_path) -> Path:
    """A copy of the file that it has left."""
    return Path(shutil.copy(old_nodes / "first" / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "old.rdb"))


def test_a_recovered_cluster_has_failed_nodes_that_can_be_replaced(old_nodes, old_file, serve, tmp_path):
    node = Caller(serve().address)
    before = shown_by(node)

    node.recover(old_file)

    assert node.wait_until("completed", "error")["state"] == "completed"
    assert node.nodes() == {1: "active", 2: "down"}
    cluster = node.get("/v1/cluster", auth=MARIA).json()
    assert (cluster["name"], cluster["rack_aware"]) == ("redis-prod.example.com", True)
    assert node.get(auth=(MARIA[0], "wrong")).status_code == 401
    assert shown_by(node) != before
    assert node.get(auth=MARIA).json()["local_node_info"]["uid"] in {1, "1"}
    # an old node that is switched on again has been given up
    with background(Node(old_nodes / "second"), port_of(old_nodes / "second")):
        assert node.nodes() == {1: "active", 2: "down"}
    # a new one takes its place
    newcomer = Caller(serve("newcomer").address)
    newcomer.join(node, node={"identity": {"uid": 2}})
    assert newcomer.wait_until("completed", "error")["state"] == "completed"
    assert node.nodes() == {1: "active", 2: "active"}
    assert node.get("/v1/nodes", auth=MARIA).json()[1]["rack_id"] == "rack-b"


def port_of(directory: Path) -> int:
    """The port on which a stopped node listened."""
    membership = json.loads((directory / "node.json").read_text())["membership"]
    return next(member["port"] for member in membership["members"] if member["uid"] == membership["uid"])


def test_a_recovery_takes_the_requested_uid(old_file, node):
    node.recover(old_file, node={"identity": {"uid": 2}})

    assert node.wait_until("completed", "error")["state"] == "completed"
    assert node.nodes() == {1: "down", 2: "active"}
    assert node.get("/v1/nodes", auth=MARIA).json()[1]["rack_id"] == "rack-b"


def test_a_file_is_found_by_its_name_inside_the_persistent_path(old_file, node, tmp_path):
    shutil.copy(old_file, tmp_path / "node-1" / "persist" / "old.rdb")

    node.recover("old.rdb")

    assert node.wait_until("completed", "error")["state"] == "completed"


def test_a_node_recovers_from_the_file_where_it_lies(start):
    node = start(pace=0.0)
    caller = Caller(node.address)
    caller.create()
    caller.wait_until("completed")
    node.stop()
    for name in ("node.json", "certificate.pem"):  # installed again, with the same disk
        (node.directory / name).unlink()
    node.restart()

    caller.recover("ccs/ccs-redis.rdb")

    assert caller.wait_until("completed", "error")["state"] == "completed"
    assert caller.nodes() == {1: "active"}


def test_a_recovered_node_is_a_member_after_a_restart(old_file, start):
    node = start(pace=0.0)
    Caller(node.address).recover(old_file)
    assert Caller(node.address).wait_until("completed", "error")["state"] == "completed"

    node.kill()
    node.restart()

    assert Caller(node.address).nodes() == {1: "active", 2: "down"}


def test_a_recovery_goes_on_after_its_node_was_killed(old_file, start):
    node = start(pace=0.8)
    caller = Caller(node.address)
    caller.recover(old_file)
    start_time = caller.wait_until("recovering_cluster")["start_time"]

    node.kill()
    node.restart()

    assert caller.wait_until("completed", "error") | {"end_time": ""} == {
        "state": "completed",
        "start_time": start_time,
        "end_time": "",
    }


@pytest.mark.parametrize(("username", "password"), [(MARIA[0], "wrong"), ("jan@example.com", MARIA[1])])
def test_only_the_old_administrator_can_recover_the_cluster(old_file, node, tmp_path, username, password):
    node.recover(old_file, credentials={"username": username, "password": password})

    status = node.wait_until("error", "completed")
    assert status["error_code"] == "access_denied"
    assert "redis-prod.example.com" in status["error_details"]["message"]
    assert node.get("/v1/cluster", auth=MARIA).status_code == 503
    assert not (tmp_path / "node-1" / "persist" / "ccs" / "ccs-redis.rdb").exists()
    node.recover(old_file)
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_a_node_that_the_cluster_never_had_cannot_be_recovered(old_file, node):
    node.recover(old_file, node={"identity": {"uid": 7}})

    status = node.wait_until("error", "completed")
    assert status["error_code"] == "config_error"
    assert status["error_details"]["field"] == "node.identity.uid"
    assert status["error_details"]["uids"] == [1, 2]


def test_a_missing_file_or_a_directory_is_a_path_error(node, tmp_path):
    for path, said in [(tmp_path / "lost.rdb", "There is no file"), (tmp_path, "is a directory")]:
        node.recover(path)

        status = node.wait_until("error", "completed")

        assert status["error_code"] == "path_error"
        assert status["error_details"]["path"] == str(path)
        assert said in status["error_details"]["message"]
        node.recover("../../outside.rdb")
        wait_for(lambda: (node.status().get("error_details") or {}).get("field") == "recovery_filename")


@pytest.mark.parametrize("content", [b"", b"REDIS0011", b"[]", b'{"cluster": []}', b'{"cluster": {}}', b"[" * 90_000])
def test_a_file_that_is_not_a_cluster_s_is_a_config_error_and_stays(node, tmp_path, content):
    file = tmp_path / "old.rdb"
    file.write_bytes(content)
    node.recover(file)

    status = node.wait_until("error", "completed")

    assert (status["error_code"], status["error_details"]["field"]) == ("config_error", "recovery_filename")
    assert status["error_details"]["message"] == f"{file} is not the file of a cluster of reference nodes"
    assert file.read_bytes() == content
    assert list((tmp_path / "node-1" / "persist").iterdir()) == []
    node.create()
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_a_file_that_is_cut_off_is_a_config_error(node, old_file):
    old_file.write_bytes(old_file.read_bytes()[:-100])

    node.recover(old_file)

    assert node.wait_until("error", "completed")["error_code"] == "config_error"


def test_a_recovery_that_fails_leaves_the_file_where_it_lies(old_file, node, tmp_path):
    place = tmp_path / "node-1" / "persist" / "ccs"
    place.mkdir()
    shutil.copy(old_file, place / "ccs-redis.rdb")
    (tmp_path / "node-1" / ".certificate.pem.new").mkdir()

    node.recover("ccs/ccs-redis.rdb")

    assert node.wait_until("completed", "error")["error_code"] == "internal_error"
    assert [path.read_bytes() for path in place.iterdir()] == [old_file.read_bytes()]


def test_a_recovery_needs_the_name_of_a_file(node):
    answer = node.post("recover_cluster", {**recover_body("x"), "recovery_filename": ""})

    assert answer.status_code == 400
    assert answer.json()["description"] == "recovery_filename: must not be empty"
    assert node.status()["state"] == "idle"
