"""Asking a node whether it could, without having it done."""

import json
import shutil

import pytest

from setup_wizard.reference_node.node import Node

from .background import background
from .conftest import MARIA, Caller, create_body, join_body


def files(directory):
    return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def everything_of(directory):
    """All that a node keeps, but for the journal of every request and the store, which saves when it likes."""
    kept = files(directory).items()
    return {path: content for path, content in kept if path.name != "journal.jsonl" and path.parent.name != "ccs"}


def test_a_successful_validation_of_a_create_changes_nothing(node, tmp_path):
    before = everything_of(tmp_path / "node-1")

    answer = node.post("validate/create_cluster", create_body(node={"paths": {"persistent_path": f"{tmp_path}/p"}}))

    assert (answer.status_code, answer.content) == (200, b"")
    assert everything_of(tmp_path / "node-1") == before
    assert not (tmp_path / "p").exists()
    assert node.status() == {"state": "idle"}


def test_a_successful_validation_of_a_join_changes_nothing(member, node, tmp_path):
    def everything():
        cluster, listed = (member.get(path, auth=MARIA).json() for path in ("/v1/cluster", "/v1/nodes"))
        for entry in listed:
            del entry["uptime"]
        return [cluster, listed, *(everything_of(tmp_path / name) for name in ("node-1", "member"))]

    before = everything()

    answer = node.post("validate/join_cluster", join_body(member))

    assert (answer.status_code, answer.content) == (200, b"")
    assert everything() == before
    assert [entry["uid"] for entry in before[1]] == [1]


def test_a_valid_request_then_succeeds(member, node):
    body = join_body(member)
    node.post("validate/join_cluster", body)

    node.post("join_cluster", body)

    assert node.wait_until("completed", "error")["state"] == "completed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"node": {"identity": {"addr": "10.0.0.5"}}}, "config_error"),
        ({"node": {"paths": {"bigstore_path": "/proc/sys/flash"}}}, "path_error"),
        ({"license": "ABCD-1234"}, "invalid_license"),
    ],
)
def test_validation_answers_406_with_the_status_of_the_failed_create(node, changes, code):
    refused = node.post("validate/create_cluster", create_body(**changes))
    unchanged = node.status()
    node.create(**changes)
    ended = node.wait_until("error", "completed")

    assert refused.status_code == 406
    assert refused.json()["state"] == "error"
    assert refused.json()["error_code"] == code
    assert refused.json()["error_details"] == ended["error_details"]
    assert refused.json()["end_time"] >= refused.json()["start_time"]
    assert unchanged == {"state": "idle"}


def test_the_sign_in_at_the_cluster_is_tried(member, node):
    answer = node.post("validate/join_cluster", join_body(member, password="mistyped"))

    assert (answer.status_code, answer.json()["error_code"]) == (406, "access_denied")
    assert "mistyped" not in json.dumps(answer.json())


def test_validation_answers_what_a_member_would_refuse(member, serve):
    node = Caller(serve("late", clock_offset=-60).address)

    answer = node.post("validate/join_cluster", join_body(member))

    assert (answer.status_code, answer.json()["error_code"]) == (406, "time_not_sync")


def test_validation_notices_an_absent_cluster(node, unused_port):
    answer = node.post("validate/join_cluster", join_body(Caller(f"127.0.0.1:{unused_port}")))

    assert (answer.status_code, answer.json()["error_code"]) == (406, "connect_error")


def test_validation_refuses_an_unusable_body_as_the_bootstrap_does(idle_node):
    answer = idle_node.post("validate/create_cluster", create_body(cluster={"name": 7}))

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "config_error"
    assert answer.json()["description"].startswith("cluster.name: ")


def test_after_an_error_a_validation_leaves_the_error_in_place(node):
    node.create(node={"identity": {"addr": "10.0.0.5"}})
    failed = node.wait_until("error")

    answer = node.post("validate/create_cluster", create_body())

    assert answer.status_code == 200
    assert node.status() == failed


def test_a_member_requires_a_sign_in_and_refuses_to_validate(lasting_member):
    assert lasting_member.post("validate/create_cluster", create_body()).status_code == 401
    assert lasting_member.post("validate/create_cluster", create_body(), auth=MARIA).status_code == 409


def test_a_validation_is_never_counted_as_a_bootstrap(node, tmp_path):
    node.post("validate/create_cluster", create_body())

    line = json.loads((tmp_path / "node-1" / "journal.jsonl").read_text().splitlines()[-1])

    assert line["path"] == "/v1/bootstrap/validate/create_cluster"
    assert (line["accepted"], line["state"]) == (False, "idle")


@pytest.fixture
def old_file(tmp_path):
    """The record of a cluster that is gone; its administrator was maria."""
    with background(Node(tmp_path / "old", pace=0.04)) as server:
        caller = Caller(server.address)
        caller.create()
        caller.wait_until("completed")
    return shutil.copy(tmp_path / "old" / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "saved.rdb")


def recover_body(file, password=MARIA[1], **changes):
    credentials = {"username": MARIA[0], "password": password}
    return {"action": "recover_cluster", "recovery_filename": str(file), "credentials": credentials, **changes}


def test_a_validated_recovery_changes_nothing_and_then_succeeds(node, old_file, tmp_path):
    before = everything_of(tmp_path / "node-1")

    answer = node.post("validate/recover_cluster", recover_body(old_file))

    assert (answer.status_code, answer.content) == (200, b"")
    assert everything_of(tmp_path / "node-1") == before
    node.post("recover_cluster", recover_body(old_file))
    assert node.wait_until("completed", "error")["state"] == "completed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "mistyped"}, "access_denied"),
        ({"file": "/absent/ccs-redis.rdb"}, "path_error"),
        ({"file": "/etc/os-release"}, "config_error"),
        ({"node": {"identity": {"uid": 9}}}, "config_error"),
    ],
)
def test_a_recovery_that_would_fail_is_refused(node, old_file, tmp_path, changes, code):
    before = everything_of(tmp_path / "node-1")

    answer = node.post("validate/recover_cluster", recover_body(**{"file": old_file, **changes}))

    assert (answer.status_code, answer.json().get("error_code")) == (406, code)
    assert everything_of(tmp_path / "node-1") == before
