"""The script that turns on rack awareness."""

import pytest
import requests

from setup_wizard.bootstrap.renderings import render_rack_awareness
from tests.bootstrap.samples import DOCUMENTED_CREATE

from .nodes import FINGERPRINT, ask, fingerprint_of, is_created, wait_for
from .running import PASSWORD, run_bash

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.mark.parametrize(("rack_id", "status"), [("rack-a", b"HTTP 200"), ("", b"HTTP 400")])
def test_the_rack_awareness_script_turns_it_on_once_all_have_racks(start, rack_id, status):
    node = start("node", options=("--ignore-policy",))
    body = {
        **DOCUMENTED_CREATE,
        "policy": {"rack_aware": True},
        "node": {"identity": {"addr": node.bind, "rack_id": rack_id}},
        "credentials": {"username": "admin@example.com", "password": PASSWORD},
    }
    requests.post(f"{node.url}/v1/bootstrap/create_cluster", json=body, verify=False, timeout=5)
    signed_in = ("admin@example.com", PASSWORD.encode())
    wait_for(lambda: is_created(node, signed_in))
    script = render_rack_awareness(
        "my.cluster", address=node.address, fingerprint=fingerprint_of(node), username="admin@example.com"
    )

    answer = run_bash(script, CLUSTER_PASSWORD=PASSWORD)

    assert PASSWORD not in script
    assert status in answer.stdout, answer.stderr
    is_aware = ask(node, "/v1/cluster", signed_in)["rack_aware"]
    assert (answer.returncode == 0, is_aware) == (bool(rack_id), bool(rack_id))


def test_the_rack_awareness_script_signs_in_to_no_other_certificate(start):
    node = start("node")
    script = render_rack_awareness("my.cluster", address=node.address, fingerprint=FINGERPRINT, username="o'neil")

    answer = run_bash(script, CLUSTER_PASSWORD=PASSWORD)

    assert answer.returncode == 1
    assert b"another certificate" in answer.stderr
    assert not any(line["authorization"] for line in node.requests())
