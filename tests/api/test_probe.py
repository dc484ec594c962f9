"""`POST /probe` against real nodes."""

import pytest

from tests.api.conftest import assert_problem, shown_by
from tests.nodes.servers import Server


def test_a_probe_shows_the_details_of_a_node(api, fresh_node):
    answer = api.post("/probe", {"address": fresh_node.address})

    said = answer.json()
    assert answer.status_code == 200
    assert set(said) == {"address", "fingerprint", "certificate", "state", "node"}
    assert (said["address"], said["state"]) == (fresh_node.address, "idle")
    assert said["fingerprint"] == shown_by(fresh_node)
    assert set(said["certificate"]) == {"subject", "issuer", "not_before", "not_after", "self_signed"}
    assert said["certificate"]["self_signed"] is True
    assert said["node"]["software_version"]
    assert {"address", "format", "if_name", "private"} <= set(said["node"]["addresses"][0])


def test_a_probe_of_a_member_shows_completed(api, member):
    said = api.post("/probe", {"address": member.address}).json()

    assert said["state"] == "completed"
    assert said["node"]["uid"] is None


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("https://10.0.0.5:9443/", "address_invalid"),
        ("10.0.0.5 ", "address_forbidden"),
        ("169.254.169.254:9443", "address_forbidden"),
        ("8.8.8.8", "address_forbidden"),
        ("127.0.0.1:1", "node_unreachable"),
    ],
)
def test_an_address_that_cannot_be_probed_is_refused_with_the_reason(api, settings, address, error):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = []

    answer = api.post("/probe", {"address": address})

    assert_problem(answer, 422, error, "address")


def test_a_server_that_is_no_node_is_refused(api):
    server = Server(lambda peer: peer.read_request() and peer.answer(200, {"hello": "world"}))

    answer = api.post("/probe", {"address": str(server.address)})

    server.stop()
    assert_problem(answer, 422, "not_a_node", "address")


@pytest.mark.usefixtures("one_minute")
def test_probes_of_unapproved_nodes_are_limited(api, settings):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 2

    *within, over = [api.post("/probe", {"address": "127.0.0.1:1"}) for _ in range(3)]

    assert {answer.json()["error"] for answer in within} == {"node_unreachable"}
    assert_problem(over, 429, "too_many_requests")
    assert 1 <= int(over.headers["Retry-After"]) <= 60
