"""Rack awareness that a create asks for, that a node ignores, and that is turned on later."""

import pytest

from .conftest import MARIA, Caller, wait_for

IN_RACK_A = {"identity": {"rack_id": "rack-a"}}
RACK_AWARE = {"rack_aware": True}


def is_rack_aware(node: Caller) -> bool:
    return node.get("/v1/cluster", auth=MARIA).json()["rack_aware"]


def turn_on(node: Caller, body: object = RACK_AWARE):
    return node.ask("PUT", "/v1/cluster/policy", json=body, auth=MARIA)


@pytest.fixture
def unaware(serve) -> Caller:
    """The only node of a cluster that was to be rack-aware; its software ignores that."""
    node = Caller(serve("first", heeds_policy=False).address)
    node.create(policy=RACK_AWARE, node=IN_RACK_A)
    node.wait_until("completed")
    return node


def test_a_node_ignores_the_policy_when_told_to(unaware):
    assert not is_rack_aware(unaware)


def test_rack_awareness_is_turned_on_for_all_members(unaware, serve):
    second = Caller(serve("second").address)
    second.join(unaware, node={"identity": {"rack_id": "rack-b"}})
    second.wait_until("completed")

    answer = turn_on(second)

    assert (answer.status_code, answer.json()["rack_aware"]) == (200, True)
    assert is_rack_aware(unaware)
    third = Caller(serve("third").address)
    third.join(unaware)
    assert third.wait_until("error")["error_code"] == "rack_id_required"


def test_rack_awareness_waits_for_a_rack_on_every_node(unaware, serve):
    second = Caller(serve("second").address)
    second.join(unaware)
    second.wait_until("completed")

    answer = turn_on(unaware)

    assert answer.status_code == 400
    assert "Without one: [2]" in answer.json()["description"]
    assert not is_rack_aware(unaware)


@pytest.mark.parametrize("body", [{"rack_aware": False}, {"rack_aware": True, "shards_overbooking": True}, []])
def test_only_rack_awareness_can_be_changed(unaware, body):
    assert turn_on(unaware, body).status_code == 400
    assert not is_rack_aware(unaware)


def test_a_completed_bootstrap_warns_about_a_module(serve):
    node = Caller(serve(faults=("module-warning=graph",)).address)
    node.create()

    status = wait_for(lambda: (found := node.try_status()) and found["state"] == "completed" and found)

    warning = status["warnings"][0]
    assert (warning["warning_type"], warning["details"]) == ("module_download_failed", {"module_name": "graph"})
