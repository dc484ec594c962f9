"""Clusters with their nodes and DNS records, as they are known."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from setup_wizard.access import tokens
from setup_wizard.access.roles import Role, assign
from setup_wizard.clusters.dns import DnsState
from setup_wizard.clusters.models import Cluster, ClusterNode
from tests.api.conftest import NOBODY, Caller, assert_problem
from tests.clusters.conftest import _checks_in_turn, begin, start_nodes, work  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
DETAILS = ["", "/dns"]
MOMENT = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
WRITTEN = "2026-11-29T09:30:00Z"


@pytest.fixture
def cluster(api, many):
    """A cluster of three nodes: one was set up here, one joined elsewhere, one is gone."""
    (attempt,) = many(1, node_uid="1")
    api.get("/clusters")
    found = Cluster.objects.get(name=attempt.cluster_name)
    ClusterNode.objects.filter(cluster=found).update(rack_id="rack-a", version="8.0.2-17", seen_at=MOMENT)
    ClusterNode.objects.create(cluster=found, uid="10", addr="10.0.0.10", status="down")
    ClusterNode.objects.create(cluster=found, uid="2", addr="10.0.0.2", status="gone")
    return found


def test_run_leaves_a_cluster_that_the_api_shows(api, begin, start_nodes):  # noqa: F811
    nodes = start_nodes(2)
    work(begin(nodes), until=lambda run: run.status.is_final)
    for node in nodes:
        node.stop()

    (listed,) = api.get("/clusters").json()["results"]

    assert listed["name"] == "redis-prod.example.com"
    assert [(node["uid"], node["address"], node["status"]) for node in listed["nodes"]] == [
        ("1", nodes[0].address, "active"),
        ("2", nodes[1].address, "active"),
    ]
    assert all(node["version"] for node in listed["nodes"])
    assert api.get(listed["url"].removeprefix("/api/v1")).json() == listed


def test_cluster_is_shown_with_its_nodes_as_last_seen(api, cluster):
    shown = api.get(f"/clusters/{cluster.pk}").json()

    assert shown["url"] == f"/api/v1/clusters/{cluster.pk}"
    assert (shown["id"], shown["fingerprint"], shown["checked_at"]) == (str(cluster.pk), cluster.fingerprint, None)
    first, last = shown["nodes"]
    assert first == {
        "uid": "1",
        "address": cluster.nodes.get(uid="1").address,
        "rack_id": "rack-a",
        "version": "8.0.2-17",
        "status": "active",
        "seen_at": WRITTEN,
    }
    assert (last["uid"], last["address"], last["status"]) == ("10", "10.0.0.10", "down")
    assert api.get("/clusters").json() == {"results": [shown]}


def test_records_are_those_of_the_nodes_that_are_up(api, cluster):
    shown = api.get(f"/clusters/{cluster.pk}/dns").json()

    assert shown["records"] == [
        {"name": "redis-prod.example.com.", "type": "NS", "value": "node1.redis-prod.example.com."},
        {"name": "node1.redis-prod.example.com.", "type": "A", "value": cluster.nodes.get(uid="1").addr},
    ]
    assert shown["check"] is None


@pytest.mark.parametrize("state", DnsState)
def test_last_check_of_the_records_is_shown(api, cluster, state):
    missing = ["node1.redis-prod.example.com."]
    cluster.dns = {"state": state.value, "reason": "It says so.", "missing": missing}
    cluster.dns_checked_at = MOMENT
    cluster.save()

    check = api.get(f"/clusters/{cluster.pk}/dns").json()["check"]

    assert check == {"state": state.value, "reason": "It says so.", "missing": missing, "checked_at": WRITTEN}


def test_list_needs_the_same_queries_for_1_and_20_clusters(api, cluster):
    api.get("/clusters")  # what is read once for each process
    with CaptureQueriesContext(connection) as for_1:
        api.get("/clusters")
    attempt = cluster.nodes.get(uid="1").attempt
    for number in range(19):
        other = Cluster.objects.create(name=f"redis-{number}.example.com", fingerprint=cluster.fingerprint)
        ClusterNode.objects.create(cluster=other, uid="1", addr="10.0.1.1", status="active", attempt=attempt)

    with CaptureQueriesContext(connection) as for_20:
        answer = api.get("/clusters")

    assert len(answer.json()["results"]) == 20
    assert len(for_20) == len(for_1)


@pytest.mark.parametrize("detail", DETAILS)
def test_unknown_cluster_is_not_found(api, detail):
    assert_problem(api.get(f"/clusters/{NOBODY}{detail}"), 404, "not_found")
    assert_problem(api.get(f"/clusters/nobody{detail}"), 404, "not_found")


def test_no_clusters_are_an_empty_list(api):
    assert api.get("/clusters").json() == {"results": []}


def test_readers_see_clusters_and_nobody_posts(api, cluster):
    reader = Caller(tokens.issue(assign(User.objects.create_user("ines"), Role.VIEWER)))
    without_role = Caller(tokens.issue(User.objects.create_user("noah")))

    for path in ["/clusters", *(f"/clusters/{cluster.pk}{detail}" for detail in DETAILS)]:
        assert reader.get(path).json() == api.get(path).json()
        assert_problem(without_role.get(path), 403, "forbidden")
        assert_problem(Caller().get(path), 401, "unauthorised")
        assert_problem(api.post(path, {}), 405, "method_not_allowed")


def test_clusters_of_others_are_hidden_where_attempts_are(cluster, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    olaf = Caller(tokens.issue(assign(User.objects.create_user("olaf"), Role.OPERATOR)))

    assert olaf.get("/clusters").json() == {"results": []}
    for detail in DETAILS:
        assert_problem(olaf.get(f"/clusters/{cluster.pk}{detail}"), 404, "not_found")
