"""Paths below /var/opt/redislabs, which real nodes bring: here that tree is the node's own directory."""

import shutil

import pytest

from .conftest import MARIA, Caller

TREE = "/var/opt/redislabs"
DEFAULTS = {"persistent_path": f"{TREE}/persist", "ephemeral_path": f"{TREE}/tmp", "bigstore_path": f"{TREE}/flash"}


def create_in(node: Caller, **paths: str) -> dict:
    assert node.create(node={"paths": paths}).status_code == 200
    return node.wait_until("completed", "error")


def test_a_create_in_the_vendors_default_paths_succeeds(node):
    assert node.post("validate/create_cluster", {**BODY, "node": {"paths": DEFAULTS}}).status_code == 200
    assert create_in(node, **DEFAULTS)["state"] == "completed"


BODY = {"cluster": {"name": "redis-prod.example.com"}, "credentials": {"username": MARIA[0], "password": MARIA[1]}}


@pytest.mark.parametrize("below", ["persist/redis", "a/b/c", "persist", "."])
def test_a_path_in_the_product_tree_is_made_with_its_parents(node, tmp_path, below):
    assert create_in(node, persistent_path=f"{TREE}/{below}")["state"] == "completed"

    facts = node.get(auth=MARIA).json()["local_node_info"]
    assert (tmp_path / "node-1" / below).is_dir()
    assert facts["persistent_storage_path"] == str(tmp_path / "node-1" / below)


def test_two_nodes_of_one_machine_do_not_share_the_default_paths(serve):
    nodes = [Caller(serve(name).address) for name in ("first", "second")]

    assert [create_in(node, **DEFAULTS)["state"] for node in nodes] == ["completed", "completed"]


@pytest.mark.parametrize(
    "path", ["/var/opt/redislabs2/persist", "/var/opt/other/persist", "/no-such-directory/persist"]
)
def test_a_path_outside_of_the_tree_needs_its_parent(node, path):
    failed = create_in(node, persistent_path=path)

    assert (failed["error_code"], failed["error_details"]["path"]) == ("path_error", path)


@pytest.mark.parametrize("start", [TREE, "{data}"])
def test_a_path_that_leads_out_of_the_tree_gets_no_parents(node, tmp_path, start):
    path = f"{start.format(data=tmp_path / 'node-1')}/../outside/persist"

    failed = create_in(node, persistent_path=path)

    assert failed["error_code"] == "path_error"
    assert not (tmp_path / "outside").exists()


def test_a_file_in_the_way_is_named_and_nothing_is_left(node, tmp_path):
    (tmp_path / "node-1" / "persist" / "note").write_text("mine")

    failed = create_in(node, ephemeral_path=f"{TREE}/new/tmp", persistent_path=f"{TREE}/persist/note/data")

    assert failed["error_code"] == "path_error"
    place = tmp_path / "node-1" / "persist" / "note"
    assert failed["error_details"]["path"] == f"{place}/data"
    assert f"{place} is not a directory" in failed["error_details"]["message"]
    assert not (tmp_path / "node-1" / "new").exists()


def test_a_failed_bootstrap_removes_what_it_made(node, tmp_path, unused_port):
    body = {"cluster": {"nodes": ["127.0.0.1"]}, "cnm_https_port": unused_port, "credentials": BODY["credentials"]}
    node.post("join_cluster", {**body, "node": {"paths": {"persistent_path": f"{TREE}/a/b/c"}}})

    assert node.wait_until("error")["error_code"] == "connect_error"
    assert not (tmp_path / "node-1" / "a").exists()


def test_a_recovery_finds_its_file_in_the_tree(serve, tmp_path):
    gone = serve("gone")
    create_in(Caller(gone.address))
    node = Caller(serve("node").address)
    ccs = tmp_path / "node" / "persist" / "ccs"
    ccs.mkdir()
    shutil.copy(tmp_path / "gone" / "persist" / "ccs" / "ccs-redis.rdb", ccs)

    node.recover(f"{TREE}/persist/ccs/ccs-redis.rdb")

    assert node.wait_until("completed", "error")["state"] == "completed"
