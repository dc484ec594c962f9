from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from setup_wizard.reference_node.node import Node

from .background import background
from .conftest import MARIA, Caller, wait_for


@pytest.fixture
def broken_cluster(serve, tmp_path) -> Caller:
    """The first node of a rack-aware cluster whose node 2, in rack-b, has failed."""
    caller = Caller(serve("first", pace=0.0).address)
    caller.create(policy={"rack_aware": True}, node={"identity": {"rack_id": "rack-a"}})
    caller.wait_until("completed")
    with background(Node(tmp_path / "second", pace=0.0)) as second:
        Caller(second.address).join(caller, node={"identity": {"rack_id": "rack-b"}})
        assert Caller(second.address).wait_until("completed", "error")["state"] == "completed"
    return caller


@pytest.mark.parametrize(
    ("identity", "rack"),
    [
        ({"uid": 2}, "rack-b"),
        ({"uid": 2, "rack_id": "Rack-B"}, "rack-b"),
        ({"uid": 2, "rack_id": "rack-c", "override_rack_id": True}, "rack-c"),
    ],
)
def test_a_replacement_takes_the_uid_and_the_rack_of_the_failed_node(broken_cluster, node, identity, rack):
    node.join(broken_cluster, node={"identity": identity})

    assert node.wait_until("completed", "error")["state"] == "completed"
    assert node.get(auth=MARIA).json()["local_node_info"]["uid"] in {2, "2"}
    nodes = broken_cluster.get("/v1/nodes", auth=MARIA).json()
    assert [(entry["uid"], entry["status"]) for entry in nodes] == [(1, "active"), (2, "active")]
    assert (nodes[1]["addr"], nodes[1]["rack_id"]) == (node.host, rack)


@pytest.mark.parametrize(("uid", "said"), [(1, "is running and cannot be replaced"), (9, "no node 9 to replace")])
def test_only_a_failed_node_can_be_replaced(broken_cluster, node, uid, said):
    node.join(broken_cluster, node={"identity": {"uid": uid}})

    status = node.wait_until("error", "completed")
    assert status["error_code"] == "config_error"
    assert status["error_details"]["field"] == "node.identity.uid"
    assert said in status["error_details"]["message"]
    assert broken_cluster.nodes() == {1: "active", 2: "down"}


def test_after_a_failed_replacement_another_node_can_replace(broken_cluster, node, serve, tmp_path):
    before = broken_cluster.get("/v1/nodes", auth=MARIA).json()[1]
    (tmp_path / "node-1" / ".certificate.pem.new").mkdir()
    node.join(broken_cluster, node={"identity": {"uid": 2, "rack_id": "rack-c", "override_rack_id": True}})

    assert node.wait_until("error", "completed")["error_code"] == "internal_error"

    assert broken_cluster.get("/v1/nodes", auth=MARIA).json()[1] == before
    another = Caller(serve("another").address)
    another.join(broken_cluster, node={"identity": {"uid": 2}})
    assert another.wait_until("completed", "error")["state"] == "completed"


class Running:
    """A node of this process that a test can stop."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._stack = ExitStack()
        self.caller = Caller(self._stack.enter_context(background(Node(directory, pace=0.0), port)).address)
        self.stop = self._stack.close


@contextmanager
def cluster_of_three(directory: Path) -> Iterator[list[Running]]:
    nodes: list[Running] = []
    try:
        for name in ("1", "2", "3"):
            nodes.append(Running(directory / name))
            nodes[-1].caller.join(nodes[0].caller) if nodes[1:] else nodes[-1].caller.create()
            assert nodes[-1].caller.wait_until("completed", "error")["state"] == "completed"
        yield nodes
    finally:
        for node in nodes:
            node.stop()


def test_a_replaced_node_that_comes_back_is_not_a_member(tmp_path, serve):
    with cluster_of_three(tmp_path) as (first, second, third):
        second.stop()
        third.stop()
        newcomer = Caller(serve("newcomer").address)
        newcomer.join(first.caller, node={"identity": {"uid": 2}})
        assert newcomer.wait_until("completed", "error")["state"] == "completed"

        with ExitStack() as stack:
            for name, node in (("3", third), ("2", second)):
                stack.callback(Running(tmp_path / name, node.caller.port).stop)
            wait_for(lambda: second.caller.get("/v1/nodes", auth=MARIA).status_code == 503)

            assert second.caller.get(auth=MARIA).json()["error_code"] == "unavailable"
            assert '"status": 410' in (tmp_path / "1" / "journal.jsonl").read_text()
            # the third was away when the second was replaced
            for member in (third.caller, first.caller, newcomer):
                assert member.nodes() == {1: "active", 2: "active", 3: "active"}
                assert path_of_the_second(member) == str(tmp_path / "newcomer" / "persist")


def test_of_two_replacements_of_one_node_the_last_admitted_stays(tmp_path, serve):
    with cluster_of_three(tmp_path) as (first, second, third):
        second.stop()
        slow, fast = Caller(serve("slow", pace=1.0).address), Caller(serve("fast", pace=0.1).address)
        slow.join(first.caller, node={"identity": {"uid": 2}})
        slow.wait_until("joining_cluster")
        wait_for((tmp_path / "slow" / "persist" / "ccs" / "ccs-redis.rdb").exists)
        fast.join(third.caller, node={"identity": {"uid": 2}})
        assert fast.wait_until("completed", "error")["state"] == "completed"

        wait_for(lambda: slow.get("/v1/nodes", auth=MARIA).status_code == 503)

        for member in (first.caller, third.caller, fast):
            assert member.nodes() == {1: "active", 2: "active", 3: "active"}
            assert path_of_the_second(member) == str(tmp_path / "fast" / "persist")


def path_of_the_second(member: Caller) -> str:
    return member.get("/v1/nodes/2", auth=MARIA).json()["persistent_storage_path"]
