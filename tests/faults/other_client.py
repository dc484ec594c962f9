"""Somebody else with a client of their own, who starts bootstraps and asks clusters; the journals tell them apart."""

import http.client
import json
import ssl
from base64 import b64encode
from contextlib import suppress

from tests.faults.system import PASSWORD
from tests.project.processes import wait_until
from tests.reference_node.conftest import create_body

ADDRESS = "127.0.0.99"
"""Where they send from."""
CONTEXT = ssl._create_unverified_context()


def create(address, cluster="redis-other.example.com", username="jan@example.com", password="Nobody-told-us-7"):
    """Ask a node for a cluster; the status of its answer."""
    body = create_body(cluster={"nodes": [], "name": cluster}, credentials={"username": username, "password": password})
    path, headers = "/v1/bootstrap/create_cluster", {"Content-Type": "application/json"}
    status, _ = ask(address, "POST", path, json.dumps(body), headers)
    return status


def establish(address, cluster):
    """Have a cluster of one node, with the sign-in that our operator knows, before anything of ours begins."""
    assert create(address, cluster, "admin@example.com", PASSWORD) == 200

    def is_up():
        with suppress(OSError):  # who asks while it takes its new certificate is cut off
            return list(nodes(address).values()) == ["active"]

    wait_until(is_up, seconds=60)


def nodes(member):
    """The cluster's own list, as a member gives it: each node's address, and how it stands; empty for no member."""
    sign_in = b64encode(f"admin@example.com:{PASSWORD}".encode()).decode()
    status, said = ask(member, "GET", "/v1/nodes", headers={"Authorization": f"Basic {sign_in}"})
    return {node["addr"]: node["status"] for node in json.loads(said)} if status == 200 else {}


def ask(address, method, path, body=None, headers=None):
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=15, source_address=(ADDRESS, 0), context=CONTEXT)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
