import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from setup_wizard.reference_node.license import License, write_license
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import background

from . import ccs
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


def test_a_cluster_comes_back_from_its_file_with_its_other_nodes_failed_until_they_are_replaced(
    old_nodes, old_file, serve, tmp_path
):
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
    with background(Node(old_nodes / "second"), ccs.own_entry(old_nodes / "second")["port"]):
        assert node.nodes() == {1: "active", 2: "down"}
    # a new one takes its place
    newcomer = Caller(serve("newcomer").address)
    newcomer.join(node, node={"identity": {"uid": 2}})
    assert newcomer.wait_until("completed", "error")["state"] == "completed"
    assert node.nodes() == {1: "active", 2: "active"}
    assert node.get("/v1/nodes", auth=MARIA).json()[1]["rack_id"] == "rack-b"
    with ccs.sign_in(tmp_path / "newcomer") as record:
        assert record.info("replication")["master_link_status"] == "up"


def test_a_node_says_which_of_the_old_ones_it_is(old_file, node):
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
    for name in ("node.json", "certificate.pem"):  # installed anew; its disk is still there
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


def test_a_file_that_is_not_there_or_is_none_is_a_path_error(node, tmp_path):
    for path, said in [(tmp_path / "lost.rdb", "There is no file"), (tmp_path, "is a directory")]:
        node.recover(path)

        status = node.wait_until("error", "completed")

        assert status["error_code"] == "path_error"
        assert status["error_details"]["path"] == str(path)
        assert said in status["error_details"]["message"]
        node.recover("../../outside.rdb")
        wait_for(lambda: (node.status().get("error_details") or {}).get("field") == "recovery_filename")


@pytest.mark.parametrize("damage", ["no file of a server", "cut off", "damaged", "of something else"])
def test_a_file_that_holds_no_cluster_is_a_config_error_and_is_left_as_it_is(node, old_file, tmp_path, damage):
    whole = old_file.read_bytes()
    broken = {
        "no file of a server": b"PK\x03\x04 nothing of a server",
        "cut off": whole[: len(whole) // 2],
        "damaged": whole[:200] + bytes(64) + whole[264:],
        "of something else": whole.replace(b"\x05nodes", b"\x05sedon")[:-8] + bytes(8),
    }[damage]
    old_file.write_bytes(broken)
    node.recover(old_file)

    status = node.wait_until("error", "completed")

    assert (status["error_code"], status["error_details"]["field"]) == ("config_error", "recovery_filename")
    assert status["error_details"]["message"] == f"{old_file} holds no cluster's record"
    assert old_file.read_bytes() == broken
    node.create()
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_the_databases_in_the_file_count_against_the_license_that_a_recovery_brings(member, node, tmp_path):
    with ccs.sign_in(tmp_path / "member") as record:
        record.hset("databases", mapping={"1": '{"shards_count": 4}', "2": '{"shards_count": 2}'})
        record.save()
    file = shutil.copy(tmp_path / "member" / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "saved.rdb")
    terms = License("redis-prod.example.com", expires=4_000_000_000, shards=5)

    node.recover(file, license=write_license(terms))

    details = node.wait_until("error", "completed")["error_details"]
    assert (details["violation_code"], details["shards_used"]) == ("shards_limit_exceeded", 6)
    node.recover(file)
    assert node.wait_until("error", "completed")["state"] == "completed"
    assert node.get("/v1/license", auth=MARIA).json()["owner"] == "trial"
    with ccs.sign_in(tmp_path / "node-1") as record:
        assert record.hlen("databases") == 2


@pytest.fixture
def light_file(tmp_path) -> Path:
    """The file that a light cluster of two has left; its first node was stopped and started once."""
    with background(Node(tmp_path / "a", pace=0.0, light=True)) as server:
        port = server.node.port
        Caller(server.address).create(policy={"rack_aware": True}, node={"identity": {"rack_id": "rack-a"}})
        Caller(server.address).wait_until("completed")
    with (
        background(Node(tmp_path / "a", pace=0.0, light=True), port) as first,
        background(Node(tmp_path / "b", pace=0.0, light=True)) as second,
    ):
        Caller(second.address).join(Caller(first.address), node={"identity": {"rack_id": "rack-b"}})
        assert Caller(second.address).wait_until("completed", "error")["state"] == "completed"
        wait_for(lambda: Caller(first.address).nodes() == {1: "active", 2: "active"})
    return Path(shutil.copy(tmp_path / "a" / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "old.json"))


@pytest.fixture
def light_node(tmp_path) -> Iterator[Caller]:
    with background(Node(tmp_path / "light", pace=0.0, light=True)) as server:
        yield Caller(server.address)


def test_a_light_node_recovers_from_the_file_of_one(light_file, light_node, tmp_path):
    assert light_node.post("validate/recover_cluster", recover_body(light_file)).status_code == 200

    light_node.recover(light_file)

    assert light_node.wait_until("completed", "error")["state"] == "completed"
    assert light_node.nodes() == {1: "active", 2: "down"}
    assert light_node.get("/v1/cluster", auth=MARIA).json()["name"] == "redis-prod.example.com"
    with background(Node(tmp_path / "newcomer", pace=0.0, light=True)) as server:
        Caller(server.address).join(light_node, node={"identity": {"uid": 2}})
        assert Caller(server.address).wait_until("completed", "error")["state"] == "completed"
        assert light_node.nodes() == {1: "active", 2: "active"}
    assert light_node.get("/v1/nodes", auth=MARIA).json()[1]["rack_id"] == "rack-b"


def test_a_light_node_recovers_from_the_file_where_it_lies(light_file, light_node, tmp_path):
    place = tmp_path / "light" / "persist" / "ccs"
    place.mkdir()
    shutil.copy(light_file, place / "ccs-redis.rdb")

    light_node.recover("ccs/ccs-redis.rdb", credentials={"username": MARIA[0], "password": "wrong"})
    assert light_node.wait_until("completed", "error")["error_code"] == "access_denied"
    assert (place / "ccs-redis.rdb").read_bytes() == light_file.read_bytes()
    light_node.recover("ccs/ccs-redis.rdb")

    assert light_node.wait_until("completed", "error")["state"] == "completed"
    assert [path.name for path in place.iterdir()] == ["ccs-redis.rdb"]


def test_the_file_of_a_light_node_holds_nothing_that_opens_a_running_cluster(light_file, tmp_path):
    secret = json.loads((tmp_path / "a" / "node.json").read_text())["membership"]["cluster"]["secret"]

    written = light_file.read_text()

    assert secret not in written
    assert MARIA[1] not in written


@pytest.mark.parametrize("content", [b"", b"REDIS0011", b"[]", b'{"cluster": []}', b'{"cluster": {}}', b"[" * 90_000])
def test_what_no_light_node_has_written_is_a_config_error_of_one(light_node, tmp_path, content):
    (tmp_path / "old.json").write_bytes(content)

    light_node.recover(tmp_path / "old.json")

    status = light_node.wait_until("error", "completed")
    assert (status["error_code"], status["error_details"]["field"]) == ("config_error", "recovery_filename")
    assert list((tmp_path / "light" / "persist").iterdir()) == []
    light_node.create()
    assert light_node.wait_until("completed", "error")["state"] == "completed"


def test_a_light_cluster_that_is_created_over_another_keeps_its_file(light_file, light_node, tmp_path):
    place = tmp_path / "light" / "persist" / "ccs"
    place.mkdir()
    shutil.copy(light_file, place / "ccs-redis.rdb")

    light_node.create()
    light_node.wait_until("completed")

    assert (place / "ccs-redis.rdb.1").read_bytes() == light_file.read_bytes()


def test_a_recovery_needs_the_name_of_a_file(node):
    answer = node.post("recover_cluster", {**recover_body("x"), "recovery_filename": ""})

    assert answer.status_code == 400
    assert answer.json()["description"] == "recovery_filename: must not be empty"
    assert node.status()["state"] == "idle"


def test_the_file_holds_nothing_that_opens_a_running_cluster(member, tmp_path):
    kept = json.loads((tmp_path / "member" / "node.json").read_text())["membership"]["cluster"]
    file = tmp_path / "member" / "persist" / "ccs" / "ccs-redis.rdb"

    assert kept["password"].encode() in file.read_bytes()
    assert kept["secret"].encode() not in file.read_bytes()
    assert MARIA[1].encode() not in file.read_bytes()
