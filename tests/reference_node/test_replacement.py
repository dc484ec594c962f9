import pytest

from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import background

from .conftest import MARIA, Caller, wait_for


@pytest.fixture
def broken_cluster(serve, tmp_path) -> Caller:
    """A rack-aware cluster of which node 2, in rack-b, has failed; whom to ask."""
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


def test_a_replacement_that_fails_on_the_node_itself_leaves_the_failed_node_to_be_replaced(
    broken_cluster, node, serve, tmp_path
):
    before = broken_cluster.get("/v1/nodes", auth=MARIA).json()[1]
    (tmp_path / "node-1" / ".certificate.pem.new").mkdir()
    node.join(broken_cluster, node={"identity": {"uid": 2, "rack_id": "rack-c", "override_rack_id": True}})

    assert node.wait_until("error", "completed")["error_code"] == "internal_error"

    assert broken_cluster.get("/v1/nodes", auth=MARIA).json()[1] == before
    another = Caller(serve("another").address)
    another.join(broken_cluster, node={"identity": {"uid": 2}})
    assert another.wait_until("completed", "error")["state"] == "completed"


def test_a_light_cluster_replaces_its_failed_node_too(tmp_path):
    with (
        background(Node(tmp_path / "a", pace=0.0, light=True)) as first,
        background(Node(tmp_path / "c", pace=0.0, light=True)) as third,
    ):
        member, newcomer = Caller(first.address), Caller(third.address)
        member.create()
        member.wait_until("completed")
        with background(Node(tmp_path / "b", pace=0.0, light=True)) as second:
            Caller(second.address).join(member)
            Caller(second.address).wait_until("completed")
            wait_for(lambda: member.nodes() == {1: "active", 2: "active"})
        assert member.nodes() == {1: "active", 2: "down"}

        newcomer.join(member, node={"identity": {"uid": 2}})

        assert newcomer.wait_until("completed", "error")["state"] == "completed"
        assert member.nodes() == newcomer.nodes() == {1: "active", 2: "active"}
        # the one that was given up does not get its place back
        with background(Node(tmp_path / "b", pace=0.0, light=True)) as second:
            Caller(second.address).get("/v1/nodes", auth=MARIA)
            assert member.nodes() == {1: "active", 2: "active"}
    assert not list(tmp_path.rglob("ccs-redis.log"))
