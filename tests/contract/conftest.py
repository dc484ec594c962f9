"""Nodes to compare with the published API."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from setup_wizard.reference_node.lockout import LockoutPolicy
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Dialect, Traits
from tests.reference_node.background import background
from tests.reference_node.conftest import Caller

PACE = 0.04  # seconds per stage
NAME = "redis-prod.example.com"


@pytest.fixture(scope="module")
def dialect() -> Dialect:
    """How the nodes spell their answers; modules for which it matters override this with both dialects."""
    return Dialect.RECORDED


@pytest.fixture
def start(tmp_path, dialect) -> Iterator[Callable[..., Caller]]:
    """Start fresh nodes inside this process."""
    with ExitStack() as stack:

        def start_node(name: str = "node-1", *, bind: str = "127.0.0.1", pace: float = PACE, **traits) -> Caller:
            node = Node(tmp_path / name, bind, pace=pace, traits=Traits(**{"dialect": dialect} | traits))
            return Caller(stack.enter_context(background(node)).address)

        yield start_node


@pytest.fixture
def node(start) -> Caller:
    """A fresh node."""
    return start()


@pytest.fixture(scope="module")
def idle_node(tmp_path_factory, dialect) -> Iterator[Caller]:
    """A shared fresh node, for requests that change nothing."""
    with background(Node(tmp_path_factory.mktemp("idle"), traits=Traits(dialect=dialect))) as server:
        yield Caller(server.address)


@pytest.fixture(scope="module")
def member(tmp_path_factory, dialect) -> Iterator[Caller]:
    """The first node of redis-prod.example.com, whose administrator is maria; others may join it.

    It locks no account: tests that share it have more sign-ins refused than one client may.
    """
    traits = Traits(dialect=dialect, lockout=LockoutPolicy(threshold=0))
    node = Node(tmp_path_factory.mktemp("member"), pace=PACE, traits=traits)
    with background(node) as server:
        caller = Caller(server.address)
        caller.create()
        caller.wait_until("completed")
        yield caller


@pytest.fixture
def unused_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def saved(tmp_path) -> Path:
    """The recovery file of redis-prod.example.com, whose only node is gone and whose administrator was maria."""
    with background(Node(tmp_path / "gone", pace=PACE)) as server:
        caller = Caller(server.address)
        caller.create()
        caller.wait_until("completed")
    return Path(shutil.copy(tmp_path / "gone" / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "saved.rdb"))
