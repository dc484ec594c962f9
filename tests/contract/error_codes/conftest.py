"""Nodes and clusters for bootstraps that end with an error code."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.server import Server
from tests.contract.error_codes.outcomes import PACE, statuses
from tests.reference_node.background import background
from tests.reference_node.conftest import Caller, wait_for


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Server]]:
    """Start fresh nodes with these traits inside this process."""
    with ExitStack() as stack:

        def start(name: str = "node", **traits: object) -> Server:
            node = Node(tmp_path / name, pace=PACE, traits=Traits(**traits))
            return stack.enter_context(background(node))

        yield start


@pytest.fixture
def fresh(serve) -> Callable[..., Caller]:
    """Start a fresh node and return a client of it."""
    return lambda name="node", **traits: Caller(serve(name, **traits).address)


@pytest.fixture
def cluster(fresh) -> Callable[..., Caller]:
    """Create redis-prod.example.com on a node with these traits; its administrator is maria."""

    def create(body: dict | None = None, **traits: object) -> Caller:
        caller = fresh("member", **traits)
        caller.create(**(body or {}))
        assert caller.wait_until("completed", "error")["state"] == "completed"
        return caller

    return create


@pytest.fixture
def broken_cluster(tmp_path) -> Iterator[Callable[..., Caller]]:
    """A cluster of two whose second node, with these traits, has been stopped; returns the first."""
    with ExitStack() as stack:

        def create(body: dict | None = None, **traits: object) -> Caller:
            first = Caller(stack.enter_context(background(Node(tmp_path / "first", pace=PACE))).address)
            first.create(**(body or {}))
            first.wait_until("completed")
            lost = Node(tmp_path / "second", pace=PACE, traits=Traits(**traits))
            with background(lost) as server:
                second = Caller(server.address)
                second.join(first, **(body or {}))
                assert second.wait_until("completed", "error")["state"] == "completed"
                wait_for(lambda: statuses(first) == ["active", "active"])
            wait_for(lambda: statuses(first) == ["active", "down"])
            return first

        yield create
