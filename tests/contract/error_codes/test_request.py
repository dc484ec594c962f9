"""Codes of what a request says, by cause: `config_error`, `path_error`, `internal_error`."""

import json
from pathlib import Path

import pytest

from tests.contract.error_codes.outcomes import ends_in, statuses
from tests.reference_node.conftest import MARIA


def test_code_config_error_of_a_field_names_its_path(fresh):
    answer = fresh().create(node={"identity": {"external_addr": ["10.0.0.5", "node-1"]}})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "config_error")
    assert answer.json()["description"].startswith("node.identity.external_addr[1]: ")


def test_code_config_error_of_client_certificates_names_alternatives(fresh):
    answer = fresh().create(credentials={"client_cert": "PEM", "client_key": "PEM"})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "config_error")
    assert "user name and a password only" in answer.json()["description"]


def test_code_config_error_of_an_address_that_is_not_the_nodes(fresh):
    node = fresh()

    node.create(node={"identity": {"addr": "10.0.0.5"}})

    details = ends_in(node, "config_error")
    assert details["message"] == "10.0.0.5 is not an address of this node, which has 127.0.0.1"
    assert details["field"] == "node.identity.addr"
    assert details["available_addresses"] == ["127.0.0.1"]


@pytest.mark.parametrize("uid", [1, 9])
def test_code_config_error_of_a_replacement_for_a_node_that_has_not_failed(cluster, fresh, uid):
    member, node = cluster(), fresh()

    node.join(member, node={"identity": {"uid": uid}})

    details = ends_in(node, "config_error")
    assert details["field"] == "node.identity.uid"
    assert str(uid) in details["message"]


def test_code_config_error_of_a_replacement_in_another_rack(broken_cluster, fresh):
    first, third = broken_cluster({"node": {"identity": {"rack_id": "rack-b"}}}), fresh("third")

    third.join(first, node={"identity": {"uid": 2, "rack_id": "rack-c"}})

    details = ends_in(third, "config_error")
    assert (details["field"], details["rack_id"]) == ("node.identity.rack_id", "rack-b")
    assert "override_rack_id" in details["message"]
    assert statuses(first) == ["active", "down"]


def test_a_replacement_can_override_its_rack(broken_cluster, fresh):
    first, third = broken_cluster({"node": {"identity": {"rack_id": "rack-b"}}}), fresh("third")

    third.join(first, node={"identity": {"uid": 2, "rack_id": "rack-c", "override_rack_id": True}})

    assert third.wait_until("completed", "error")["state"] == "completed"
    assert [entry["rack_id"] for entry in first.get("/v1/nodes", auth=MARIA).json()] == ["rack-b", "rack-c"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("{tmp}/absent/storage", "{tmp}/absent does not exist"),
        ("{tmp}/file", "{tmp}/file is not a directory"),
        ("{tmp}/dangling", "{tmp}/dangling is not a directory"),
        ("{tmp}/file/storage", "{tmp}/file is not a directory"),
        ("/proc/sys", "/proc/sys cannot be written"),
        ("/proc/sys/storage", "/proc/sys cannot be written"),
    ],
)
def test_code_path_error_names_the_path_that_cannot_be_used(fresh, tmp_path, place, words):
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    place, words = place.format(tmp=tmp_path), words.format(tmp=tmp_path)
    node = fresh()

    node.create(node={"paths": {"persistent_path": place}})

    details = ends_in(node, "path_error")
    assert details["path"] == place
    assert words in details["message"]


@pytest.mark.parametrize("field", ["ephemeral_path", "bigstore_path", "ccs_persistent_path"])
def test_code_path_error_can_be_of_every_path(fresh, tmp_path, field):
    node = fresh()

    node.create(node={"paths": {field: f"{tmp_path}/absent/storage"}})

    assert ends_in(node, "path_error")["path"] == f"{tmp_path}/absent/storage"


@pytest.fixture
def mounts(tmp_path) -> Path:
    """The table of a machine on which /nfs of this folder comes from another."""
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        f"41 22 0:50 / {tmp_path}/nfs rw,relatime shared:3 - nfs4 filer.example.com:/export rw,vers=4.2\n"
    )
    (tmp_path / "nfs").mkdir()
    return table


@pytest.mark.parametrize("field", ["persistent_path", "ccs_persistent_path"])
def test_code_path_error_of_a_persistent_path_on_nfs_names_the_mount(fresh, tmp_path, mounts, field):
    node = fresh(mounts=mounts)
    (tmp_path / "link").symlink_to(tmp_path / "nfs")

    node.create(node={"paths": {field: f"{tmp_path}/link/storage"}})

    details = ends_in(node, "path_error")
    assert (details["path"], details["file_system"]) == (f"{tmp_path}/link/storage", "nfs4")
    assert f"mounted at {tmp_path}/nfs" in details["message"]
    assert list((tmp_path / "nfs").iterdir()) == []


@pytest.mark.parametrize("field", ["ephemeral_path", "bigstore_path"])
def test_a_path_that_need_not_outlive_the_machine_may_lie_on_nfs(fresh, tmp_path, mounts, field):
    node = fresh(mounts=mounts)

    node.create(node={"paths": {field: f"{tmp_path}/nfs/storage"}})

    assert node.wait_until("completed", "error")["state"] == "completed"


def test_code_path_error_leaves_no_directory_behind(fresh, tmp_path):
    node = fresh()
    paths = {"persistent_path": f"{tmp_path}/persist", "bigstore_path": f"{tmp_path}/absent/flash"}

    node.create(node={"paths": paths})

    assert ends_in(node, "path_error")["path"] == f"{tmp_path}/absent/flash"
    assert not (tmp_path / "persist").exists()


def test_a_join_that_is_refused_leaves_no_directory_behind(cluster, fresh, tmp_path):
    member, node = cluster(), fresh(os_user="redis")

    node.join(member, node={"paths": {"persistent_path": f"{tmp_path}/persist"}})

    ends_in(node, "node_config_mismatch")
    assert not (tmp_path / "persist").exists()


def test_code_internal_error_when_the_node_cannot_keep_its_certificate(fresh, tmp_path):
    node = fresh()
    obstacle = tmp_path / "node" / ".certificate.pem.new"
    obstacle.mkdir()

    node.create(node={"paths": {"persistent_path": f"{tmp_path}/persist"}})

    status = node.wait_until("error", "completed")
    assert (status["state"], status.get("error_code")) == ("error", "internal_error")
    assert ".certificate.pem.new" in status["error_details"]["message"]
    assert not (tmp_path / "persist").exists()
    obstacle.rmdir()
    node.create()
    assert node.wait_until("completed", "error")["state"] == "completed"


def test_code_internal_error_when_the_record_cannot_be_written(fresh, tmp_path):
    node = fresh()
    obstacle = tmp_path / "persist" / "ccs" / ".ccs-redis.rdb.new"
    obstacle.mkdir(parents=True)

    node.create(node={"paths": {"persistent_path": f"{tmp_path}/persist"}})

    status = node.wait_until("error", "completed")
    assert (status["state"], status.get("error_code")) == ("error", "internal_error")
    assert status["error_details"]["message"].startswith(f"{tmp_path}/persist/ccs/ccs-redis.rdb cannot be written: ")
    assert MARIA[1] not in json.dumps(status)
    obstacle.rmdir()
    node.create(node={"paths": {"persistent_path": f"{tmp_path}/persist"}})
    assert node.wait_until("completed", "error")["state"] == "completed"
