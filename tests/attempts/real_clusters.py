"""Clusters of three reference nodes, for tests of joins and replacements."""

import json
from contextlib import contextmanager

from tests.reference_node.conftest import Caller
from tests.reference_node.running import start_node

OLAF = ("olaf@example.com", "Olaf-is-only-looking-7")
"""An account without the administrator's role."""


@contextmanager
def nodes_of_one_port(folder):
    """Start nodes on loopback addresses of their own, at one port, as the nodes of a real cluster have it."""
    running = []

    def start(host, *, options=()):
        port = running[0].port if running else 0
        node = start_node(folder / host, bind=host, port=port, pace=0.0, options=("--control", "0", *options))
        running.append(node)
        return node

    try:
        yield start
    finally:
        for node in running:
            node.kill()


def make_cluster(start):
    """A rack-aware cluster with a node in each of three racks; olaf may only look."""
    first = start("127.0.0.2", options=("--viewer", ":".join(OLAF)))
    Caller(first.address).create(policy={"rack_aware": True}, node={"identity": {"rack_id": "rack-a"}})
    Caller(first.address).wait_until("completed")
    others = [start("127.0.0.3"), start("127.0.0.4")]
    for node, rack in zip(others, ("rack-b", "rack-c"), strict=True):
        Caller(node.address).join(Caller(first.address), node={"identity": {"rack_id": rack}})
        Caller(node.address).wait_until("completed")
    return [first, *others]


def overlay(path, patch):
    return f"overlay={path},{json.dumps(patch)}"
