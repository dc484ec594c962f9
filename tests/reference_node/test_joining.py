import json

import pytest

from setup_wizard.reference_node.machine import bound_addresses

from .conftest import MARIA, Caller, wait_for


def test_a_node_that_joins_is_seen_active_by_every_member(member, serve):
    second, third = (Caller(serve(name, bind=bind).address) for name, bind in [("b", "127.0.0.2"), ("c", "127.0.0.3")])
    second.join(member)
    second.wait_until("completed")

    third.join(second)  # through another member than the first
    third.wait_until("completed")

    def seen_by(caller: Caller) -> list:
        return [(entry["uid"], entry["addr"], entry["status"]) for entry in caller.get("/v1/nodes", auth=MARIA).json()]

    everybody = [(1, "127.0.0.1", "active"), (2, "127.0.0.2", "active"), (3, "127.0.0.3", "active")]
    wait_for(lambda: seen_by(member) == everybody)
    assert seen_by(second) == everybody
    assert seen_by(third) == everybody
    assert third.get("/v1/cluster", auth=MARIA).json()["name"] == "redis-prod.example.com"
    assert third.get(auth=MARIA).json()["local_node_info"]["uid"] == "3"


def test_after_a_wrong_password_the_right_one_joins(member, node):
    node.join(member, password="wrong")
    node.wait_until("error")

    node.join(member)

    assert node.wait_until("completed", "error")["state"] == "completed"


def test_a_node_cannot_join_itself(node):
    node.join(node)

    assert node.wait_until("error")["error_code"] == "connect_error"


def test_the_first_member_that_answers_is_joined(member, node):
    node.join(member, cluster={"nodes": ["127.0.0.9", member.host]})

    assert node.wait_until("completed", "error")["state"] == "completed"


def test_a_join_without_a_port_uses_the_port_of_the_node(start):
    member = start("member", bind="127.0.0.2", pace=0.05)
    Caller(member.address).create()
    Caller(member.address).wait_until("completed")
    node = start("node", bind="127.0.0.3", port=member.port, pace=0.05)
    body = {"cluster": {"nodes": ["127.0.0.2"]}, "credentials": {"username": MARIA[0], "password": MARIA[1]}}
    Caller(node.address).post("join_cluster", body)
    assert Caller(node.address).wait_until("completed", "error")["state"] == "completed"


def test_a_stopped_member_is_down_and_active_again_after_its_restart(start, member):
    node = start("second", bind="127.0.0.2", pace=0.05)
    caller = Caller(node.address)
    caller.join(member)
    caller.wait_until("completed")

    def status_of_the_second() -> str:
        return member.get("/v1/nodes", auth=MARIA).json()[1]["status"]

    assert wait_for(lambda: status_of_the_second() == "active")
    node.kill()
    assert status_of_the_second() == "down"
    node.restart()
    assert status_of_the_second() == "active"


def test_a_node_that_asks_twice_keeps_its_uid(member, start):
    node = start("second", pace=0.05)
    caller = Caller(node.address)
    caller.join(member)
    caller.wait_until("completed")
    kept = json.loads((node.directory / "node.json").read_text())
    newcomer = next(entry for entry in kept["membership"]["members"] if entry["uid"] == 2)

    application = {"newcomer": newcomer, "replaces": None, "override_rack_id": False, "only_check": False}
    answer = member.ask("POST", "/_cluster/admission", json=application, auth=MARIA)

    assert answer.json()["membership"]["uid"] == 2
    assert len(answer.json()["membership"]["members"]) == 2


@pytest.mark.parametrize("path", ["/_cluster/admission", "/_cluster/exchange"])
def test_a_malformed_call_between_members_is_refused(member, path, tmp_path):
    secret = json.loads((tmp_path / "member" / "node.json").read_text())["membership"]["cluster"]["secret"]
    options = {"auth": MARIA} if path.endswith("admission") else {"headers": {"Authorization": f"Bearer {secret}"}}

    assert member.ask("POST", path, json={"members": [{}], "from": 2}, **options).status_code == 400
    assert [entry["uid"] for entry in member.get("/v1/nodes", auth=MARIA).json()] == [1]


def test_a_join_that_fails_on_the_node_leaves_the_cluster_unchanged(member, node, serve, tmp_path):
    # a directory where the node writes its temporary file: the write fails
    obstacle = tmp_path / "node-1" / ".certificate.pem.new"
    obstacle.mkdir()
    node.join(member)

    status = node.wait_until("error", "completed")

    assert status["error_code"] == "internal_error"
    assert member.nodes() == {1: "active"}
    third = Caller(serve("third").address)
    third.join(member)
    assert third.wait_until("completed", "error")["state"] == "completed"
    obstacle.rmdir()
    node.join(member)
    assert node.wait_until("completed", "error")["state"] == "completed"
    assert member.nodes() == {1: "active", 2: "active", 3: "active"}


def test_a_join_whose_record_cannot_be_written_can_be_repeated(member, node, tmp_path):
    # a directory where the node writes its temporary file: the write fails
    obstacle = tmp_path / "node-1" / "persist" / "ccs" / ".ccs-redis.rdb.new"
    obstacle.mkdir(parents=True)
    node.join(member)
    assert node.wait_until("error", "completed")["error_code"] == "internal_error"
    obstacle.rmdir()

    node.join(member)

    assert node.wait_until("completed", "error")["state"] == "completed"
    assert member.nodes() == {1: "active", 2: "active"}


def test_joins_through_two_members_at_once_get_different_uids(member, serve):
    second = Caller(serve("second").address)
    second.join(member)
    second.wait_until("completed")
    newcomers = [Caller(serve(name, pace=0.3).address) for name in ("a", "b", "c", "d")]

    for newcomer, through in zip(newcomers, [member, second, second, member], strict=True):
        newcomer.join(through)

    assert [newcomer.wait_until("completed", "error")["state"] for newcomer in newcomers] == ["completed"] * 4
    everybody = dict.fromkeys(range(1, 7), "active")
    for caller in (member, second, *newcomers):
        assert caller.nodes() == everybody


@pytest.mark.skipif("::1" not in bound_addresses("::"), reason="no IPv6 here")
def test_nodes_on_ipv6_form_a_cluster(serve):
    first, second = (Caller(serve(name, bind="::1", pace=0.02).address) for name in "ab")
    first.create(node={"identity": {"addr": "0:0:0:0:0:0:0:1"}})
    assert first.wait_until("completed", "error")["state"] == "completed"

    second.join(first)

    assert second.wait_until("completed", "error")["state"] == "completed"
