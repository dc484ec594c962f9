"""Contradicting cluster names stop a join before anything is sent."""

import pytest

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes.models import TrustedCertificate
from tests.api.conftest import assert_problem, creating, joining
from tests.attempts.conftest import follow
from tests.reference_node.running import start_node

STATED = "other.example.com"


def named(document, name):
    document["bootstrap"]["cluster"]["name"] = name
    return document


@pytest.fixture
def unknown_member(member):
    """The member, as a wizard sees it that has not set it up itself: only a sign-in tells its cluster's name."""
    TrustedCertificate.objects.update(cluster="")
    return member


@pytest.fixture
def other_member(tmp_path, api, member):
    """The only node of redis-test.example.com, on the same port as the member of redis-prod.example.com."""
    with start_node(tmp_path / "other", bind="127.0.0.3", port=member.port, pace=0.02) as node:
        created = creating(node)
        created["bootstrap"]["cluster"]["name"] = "redis-test.example.com"
        follow(Attempt.objects.get(pk=api.post("/attempts", created).json()["id"]))
        yield node


def test_a_join_of_another_cluster_stops_before_sending(api, unknown_member, fresh_node):
    answer = api.post("/attempts", named(joining(fresh_node, unknown_member), STATED))

    assert_problem(answer, 422, "preflight_failed", "bootstrap.cluster.name")
    [message] = answer.json()["fields"]["bootstrap.cluster.name"]
    assert STATED in message
    assert "redis-prod.example.com" in message
    assert not Attempt.objects.filter(address=fresh_node.address).exists()
    assert fresh_node.accepted() == []


def test_a_join_is_refused_at_start_when_the_cluster_is_known(api, member, fresh_node):
    answer = api.post("/attempts", named(joining(fresh_node, member), STATED))

    assert_problem(answer, 422, "preflight_failed", "bootstrap.cluster.name")
    [message] = answer.json()["fields"]["bootstrap.cluster.name"]
    assert STATED in message
    assert "redis-prod.example.com" in message


@pytest.mark.parametrize("name", ["redis-prod.example.com", "REDIS-PROD.example.com", "redis-prod.example.com."])
def test_a_cluster_name_may_be_spelt_differently(api, member, fresh_node, name):
    started = api.post("/attempts", named(joining(fresh_node, member), name)).json()

    assert follow(Attempt.objects.get(pk=started["id"])).status is State.SUCCEEDED


def test_members_of_two_clusters_stop_a_join(api, member, other_member, fresh_node):
    document = joining(fresh_node, member)
    document["bootstrap"]["cluster"]["nodes"] = [member.bind, other_member.bind]

    answer = api.post("/attempts", document)

    assert_problem(answer, 422, "preflight_failed", "bootstrap.cluster.nodes")
    [message] = answer.json()["fields"]["bootstrap.cluster.nodes"]
    assert "redis-prod.example.com" in message
    assert "redis-test.example.com" in message


def test_an_unreachable_second_member_is_only_a_warning(api, member, fresh_node):
    document = joining(fresh_node, member)
    document["bootstrap"]["cluster"]["nodes"] = [member.bind, "127.0.0.99"]

    assert api.post("/attempts", document).status_code == 201


def test_the_joining_node_cannot_be_a_member(api, member, tmp_path):
    with start_node(tmp_path / "same-port", port=member.port) as node:
        document = joining(node, member)
        document["bootstrap"]["cluster"]["nodes"] = [member.bind, node.bind]

        answer = api.post("/attempts", document)

    assert_problem(answer, 422, "preflight_failed", "bootstrap.cluster.nodes")
    assert "is the node that joins" in str(answer.json()["fields"])
