"""The file with what a member knows of its cluster."""

import json
import stat

import pytest

from .conftest import MARIA, Caller, create_body, wait_for


@pytest.fixture
def file(tmp_path):
    return tmp_path / "node-1" / "persist" / "ccs" / "ccs-redis.rdb"


def test_an_idle_node_has_no_recovery_file(node, tmp_path):
    assert not list(tmp_path.rglob("ccs-redis*"))


def test_the_recovery_file_is_written_before_the_node_is_a_member(start, file):
    node = start(pace=0.0)
    caller = Caller(node.address)
    caller.create()
    wait_for(caller.wants_a_sign_in)

    node.kill()

    assert json.loads(file.read_bytes())["cluster"]["name"] == "redis-prod.example.com"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    node.restart()
    caller.wait_until("completed")
    assert caller.nodes() == {1: "active"}


def test_the_recovery_file_has_every_member_once_it_has_joined(node, serve, file):
    node.create()
    node.wait_until("completed")
    second = Caller(serve("second").address)
    second.join(node)
    second.wait_until("completed")

    wait_for(lambda: [member["uid"] for member in json.loads(file.read_bytes())["members"]] == [1, 2])


def test_the_recovery_file_has_nothing_that_opens_a_running_cluster(member, tmp_path):
    kept = json.loads((tmp_path / "member" / "node.json").read_text())["membership"]["cluster"]
    content = (tmp_path / "member" / "persist" / "ccs" / "ccs-redis.rdb").read_text()

    assert kept["password"] in content
    assert kept["secret"] not in content
    assert MARIA[1] not in content


def test_the_recovery_file_goes_where_the_request_says(node, tmp_path):
    node.create(node={"paths": {"ccs_persistent_path": str(tmp_path / "elsewhere")}})

    node.wait_until("completed")

    assert (tmp_path / "elsewhere" / "ccs-redis.rdb").exists()


def test_the_file_of_an_earlier_cluster_is_kept(node, file):
    file.parent.mkdir()
    file.write_bytes(b"precious")

    node.create()
    node.wait_until("completed")

    assert file.with_name("ccs-redis.rdb.1").read_bytes() == b"precious"


def test_two_nodes_cannot_keep_their_files_in_one_directory(member, node, tmp_path):
    node.join(member, node={"paths": {"persistent_path": str(tmp_path / "member" / "persist")}})

    status = node.wait_until("error", "completed")

    assert status["error_code"] == "path_error"
    assert status["error_details"]["path"] == str(tmp_path / "member" / "persist" / "ccs")
    assert "in use by another running node" in status["error_details"]["message"]
    assert member.nodes() == {1: "active"}


def test_a_directory_stays_locked_after_a_restart(start, serve):
    node = start("member", pace=0.0)
    Caller(node.address).create()
    Caller(node.address).wait_until("completed")
    node.restart()
    other = Caller(serve("other").address)

    other.create(node={"paths": {"persistent_path": str(node.directory / "persist")}})

    assert other.wait_until("error", "completed")["error_code"] == "path_error"


@pytest.mark.parametrize("username", ["maria müller", "maria o'neill \\ #1", "default", "x" * 255])
def test_every_valid_name_and_password_can_sign_in(node, username):
    password = 'pass word #~* "\n\t\\ ünïcode'

    node.post("create_cluster", create_body(credentials={"username": username, "password": password}))

    wait_for(node.wants_a_sign_in)
    assert node.get("/v1/cluster", auth=(username.encode(), password.encode())).status_code == 200
    assert node.get("/v1/cluster", auth=(username.encode(), b"wrong")).status_code == 401
