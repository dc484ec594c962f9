"""The seven states of a bootstrap, each as a node comes to it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from setup_wizard.reference_node.node import Node
from tests.reference_node.background import background
from tests.reference_node.conftest import Caller, wait_for

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def states_of(caller: Caller) -> list[str]:
    """Every state that the node shows from now until its bootstrap has ended, in order."""
    seen: list[str] = []

    def has_ended() -> bool:
        state = (caller.try_status() or {}).get("state")
        if state and state not in seen[-1:]:
            seen.append(state)
        return state in {"completed", "error"}

    wait_for(has_ended, seconds=20)
    return seen


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Caller]]:
    """Start fresh nodes, each with a real store."""
    with ExitStack() as stack:
        yield lambda name, pace: Caller(stack.enter_context(background(Node(tmp_path / name, pace=pace))).address)


@pytest.fixture
def node(serve) -> Caller:
    """A fresh node."""
    return serve("node-1", 0.02)


@pytest.fixture
def slow(serve) -> Caller:
    """A fresh node whose every state lasts long enough to be seen."""
    return serve("slow", 0.5)


@pytest.fixture
def member(serve) -> Caller:
    """The only node of redis-prod.example.com."""
    caller = serve("member", 0.0)
    caller.create()
    caller.wait_until("completed")
    return caller


def test_state_idle_is_that_of_a_fresh_node_which_has_not_begun_anything(node):
    assert node.get().json()["bootstrap_status"] == {"state": "idle"}


def test_state_initiated_is_first_and_has_a_start_time_only(slow):
    slow.create()

    status = slow.status()

    assert status["state"] == "initiated"
    assert TIME.fullmatch(status["start_time"])
    assert "end_time" not in status


def test_state_creating_cluster_comes_between_initiated_and_completed(slow):
    slow.create()

    assert states_of(slow) == ["initiated", "creating_cluster", "completed"]


def test_state_joining_cluster_comes_between_initiated_and_completed(slow, member):
    slow.join(member)

    assert states_of(slow) == ["initiated", "joining_cluster", "completed"]


def test_state_recovering_cluster_comes_between_initiated_and_completed(slow, member, tmp_path):
    slow.recover(tmp_path / "member" / "persist" / "ccs" / "ccs-redis.rdb")

    assert states_of(slow) == ["initiated", "recovering_cluster", "completed"]
    assert slow.nodes() == {1: "active"}


def test_state_completed_has_an_end_and_takes_no_other_bootstrap(node):
    node.create()

    status = node.wait_until("completed")

    assert status["end_time"] >= status["start_time"]
    assert set(status) == {"state", "start_time", "end_time"}
    assert node.post("create_cluster", {}).status_code == 401


def test_state_error_says_why_and_takes_the_next_bootstrap(node):
    node.create(node={"identity": {"addr": "10.0.0.5"}})

    status = node.wait_until("error")

    assert status["error_code"] == "config_error"
    assert "10.0.0.5" in status["error_details"]["message"]
    assert status["end_time"] >= status["start_time"]
    assert node.create().status_code == 200
    assert node.wait_until("completed", "error")["state"] == "completed"
