"""Ask the nodes that scripts and playbooks set up."""

import time

import requests

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe

FINGERPRINT = ":".join(["AB"] * 32)  # of no certificate


def fingerprint_of(node):
    return probe(Address.parse(node.address)).certificate.fingerprint


def ask(node, path, auth=None, cert=None):
    try:
        answer = requests.get(f"{node.url}{path}", verify=False, auth=auth, cert=cert, timeout=5)
    except requests.ConnectionError:  # its certificate changes
        return {}
    return answer.json() if answer.ok else {}


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def is_created(node, auth):
    return ask(node, "/v1/bootstrap", auth).get("bootstrap_status", {}).get("state") == "completed"
