"""What a cluster says about itself stops a join or a replacement before anything is sent to the node."""

import pytest

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from tests.api.conftest import assert_problem, joining
from tests.attempts.conftest import follow
from tests.attempts.real_clusters import make_cluster, nodes_of_one_port, overlay
from tests.reference_node.conftest import MARIA, Caller, wait_for

REASON = {"reason": "Agreed with the owners of the cluster"}


@pytest.fixture(scope="module")
def shared_nodes(tmp_path_factory):
    with nodes_of_one_port(tmp_path_factory.mktemp("nodes")) as start:
        yield make_cluster(start), start("127.0.0.9")


@pytest.fixture
def cluster(shared_nodes):
    """A rack-aware cluster of three; no test may change it."""
    for node in shared_nodes[0]:
        node.put_faults()
    return shared_nodes[0]


@pytest.fixture
def newcomer(shared_nodes):
    """A node that no test sets up."""
    return shared_nodes[1]


def request(node, member, **identity):
    document = joining(node, member, password=MARIA[1])
    document["bootstrap"]["credentials"]["username"] = MARIA[0]
    document["bootstrap"]["node"]["identity"] |= identity
    return document


def stopped(api, document):
    """The checks that stop a start; overriding them changes nothing."""
    checks = [check for check in api.post("/preflight", document).json()["checks"] if check["level"] == "failed"]
    refused = api.post("/attempts", document)
    overridden = api.post("/attempts", document | {"overrides": [{"name": each["name"], **REASON} for each in checks]})
    assert_problem(refused, 422, "preflight_failed", *refused.json()["fields"])
    assert_problem(overridden, 422, "invalid", "overrides")
    assert not Attempt.objects.exists()
    return {check["name"]: check for check in checks}


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        ("/v1/actions", {"state-machines": [{"name": "SMMigrateShard", "status": "active", "object_name": "bdb:1"}]}),
        ("/v1/cluster", {"upgrade_in_progress": True}),
        ("/v1/nodes", {"3": {"status": "decommissioning"}}),
    ],
)
def test_join_of_a_busy_cluster_is_stopped(api, cluster, newcomer, path, patch):
    cluster[0].put_faults(overlay(path, patch))

    found = stopped(api, request(newcomer, cluster[0], rack_id="rack-d"))

    assert set(found) == {"cluster_busy"}
    assert newcomer.accepted() == []


def test_replacement_of_a_node_that_is_alive_is_stopped(api, cluster, newcomer):
    found = stopped(api, request(newcomer, cluster[0], uid=2))

    assert set(found) == {"replaced_node"}
    assert newcomer.accepted() == []


def test_replacement_of_a_node_that_still_answers_is_stopped(api, cluster, newcomer):
    cluster[0].put_faults(overlay("/v1/nodes", {"2": {"status": "down"}}))

    found = stopped(api, request(newcomer, cluster[0], uid=2))

    assert found["old_address"]["can_override"] is False
    assert "still answers at 127.0.0.3" in found["old_address"]["message"]


def test_join_without_a_rack_offers_the_change(api, cluster, newcomer):
    found = stopped(api, request(newcomer, cluster[0]))

    assert found["rack"]["field"] == "bootstrap.node.identity.rack_id"
    assert found["rack"]["remedy"] == {"label": "Join in rack-a", "change": {"node.identity.rack_id": "rack-a"}}


def test_failed_node_is_replaced_once_that_is_accepted(api, tmp_path):
    with nodes_of_one_port(tmp_path) as start:
        first, second, _ = make_cluster(start)
        node = start("127.0.0.9")
        second.kill()
        wait_for(lambda: Caller(first.address).nodes()[2] == "down")
        document = request(node, first, uid=2)
        checks = {check["name"]: check for check in api.post("/preflight", document).json()["checks"]}
        refused = api.post("/attempts", document)
        accepted = api.post("/attempts", document | {"overrides": [{"name": "replaced_node", **REASON}]})
        attempt = follow(Attempt.objects.get())
        nodes = Caller(first.address).get("/v1/nodes", auth=MARIA).json()

    once = checks["replaced_node"]
    assert (once["level"], once["can_override"]) == ("not_checked", True)
    assert checks["old_address"]["level"] == "passed"
    assert refused.status_code == 422
    assert accepted.status_code == 201, accepted.text
    assert attempt.status is State.SUCCEEDED
    assert [(entry["uid"], entry["status"], entry["rack_id"]) for entry in nodes] == [
        (1, "active", "rack-a"),
        (2, "active", "rack-b"),
        (3, "active", "rack-c"),
    ]
