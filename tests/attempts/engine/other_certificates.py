"""Ask a node directly, and start someone else's bootstrap on it."""

import warnings

import requests

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe


def idle(node):
    return probe(Address.parse(node.address)).answer.status


def post_directly(node, name="other.example.com", username="stranger@example.com", password="somebody-elses"):
    """Another user with another client."""
    body = {
        "action": "create_cluster",
        "cluster": {"nodes": [], "name": name},
        "node": {"identity": {"addr": "127.0.0.1"}},
        "credentials": {"username": username, "password": password},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        requests.post(f"{node.url}/v1/bootstrap/create_cluster", json=body, verify=False, timeout=5).raise_for_status()
