"""Somebody else with a client of their own, who starts a bootstrap on a node of ours; the journals tell them apart."""

import http.client
import json
import ssl

from tests.faults.judge import STRANGER
from tests.reference_node.conftest import create_body

CONTEXT = ssl._create_unverified_context()


def create(address, cluster="redis-other.example.com", password="Nobody-told-us-7"):
    """Ask a node for a cluster; the status of its answer."""
    host, _, port = address.rpartition(":")
    body = create_body(
        cluster={"nodes": [], "name": cluster}, credentials={"username": "jan@example.com", "password": password}
    )
    connection = http.client.HTTPSConnection(host, int(port), timeout=15, source_address=(STRANGER, 0), context=CONTEXT)
    try:
        connection.request(
            "POST", "/v1/bootstrap/create_cluster", json.dumps(body), {"Content-Type": "application/json"}
        )
        return connection.getresponse().status
    finally:
        connection.close()
