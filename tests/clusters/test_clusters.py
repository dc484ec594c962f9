"""The page of a cluster, and home."""

import pytest
from django.urls import reverse

from setup_wizard.access.roles import Role, assign
from setup_wizard.clusters import inventory, plans
from setup_wizard.clusters.document import PlanDocument, PlannedCluster, PlannedNode
from setup_wizard.clusters.models import Cluster, ClusterNode, Plan
from tests.clusters.conftest import PASSWORD, attempts_of, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cluster(begin, start_nodes):
    """A cluster of two nodes, which a run brought up."""
    work(begin(start_nodes(2)), until=lambda run: run.status.is_final)
    inventory.add_attempts()
    return Cluster.objects.get()


def url(cluster, name="detail"):
    return reverse(f"inventory:{name}", args=[cluster.pk])


def values_page(pages, cluster, start_nodes):
    """The address of the second page of a plan that adds a node to the cluster."""
    pages.post(url(cluster, "add-nodes"))
    plan = Plan.objects.get(run=None)
    (node,) = start_nodes(1)
    nodes = {"version": plan.version, "do": "check", "addresses": node.address}
    pages.post(reverse("clusters:nodes", args=[plan.pk]), nodes)
    return reverse("clusters:cluster", args=[plan.pk])


def check(pages, cluster, password=PASSWORD):
    data = {"sign_in_by": "password", "username": "admin@example.com", "password": password, "consent": "on"}
    return pages.post(url(cluster, "check"), data, follow=True)


def test_run_leaves_one_cluster_with_its_nodes(cluster):
    assert cluster.name == "redis-prod.example.com"
    assert [(node.uid, node.status) for node in cluster.nodes.order_by("uid")] == [("1", "active"), ("2", "active")]


def test_home_lists_the_cluster(pages, cluster):
    page = pages.get("/", follow=True).content.decode()

    assert "redis-prod.example.com" in page
    assert "2 of at least 3 nodes" in page


def test_page_shows_how_each_node_came_in(pages, cluster):
    page = pages.get(url(cluster)).content.decode()

    for node in cluster.nodes.all():
        assert f"<code>{node.address}</code>" in page
        assert reverse("live:detail", args=[node.attempt_id]) in page


def test_page_lists_the_records_of_every_node_that_is_not_down(pages, cluster):
    with_both = pages.get(url(cluster)).content.decode()
    cluster.nodes.filter(uid="2").update(status="down")

    page = pages.get(url(cluster)).content.decode()

    assert "node1.redis-prod.example.com." in page
    assert "node2.redis-prod.example.com." in with_both
    assert "node2.redis-prod.example.com." not in page


def test_check_now_reads_what_the_cluster_lists(pages, cluster):
    cluster.nodes.filter(uid="2").update(status="down")
    ClusterNode.objects.create(cluster=cluster, uid="9", addr="10.0.0.9", status="active")

    page = check(pages, cluster).content.decode()

    cluster.refresh_from_db()
    assert cluster.checked_at
    assert dict(cluster.nodes.values_list("uid", "status")) == {"1": "active", "2": "active", "9": "gone"}
    assert PASSWORD not in page


def test_wrong_password_is_refused_and_nothing_is_kept(pages, cluster):
    page = check(pages, cluster, password="Mistyped-horse-8").content.decode()

    cluster.refresh_from_db()
    assert "The cluster rejected these credentials" in page
    assert cluster.checked_at is None


def test_add_nodes_begins_a_plan_for_the_cluster(pages, cluster):
    pages.post(url(cluster, "add-nodes"))

    plan = Plan.objects.get(run=None)
    assert plan.content.members
    assert plan.content.member_fingerprint == cluster.fingerprint
    assert str(plan) == f"More nodes: {cluster.name}"


def test_plan_that_adds_nodes_names_the_cluster_on_its_page(pages, cluster):
    page = pages.post(url(cluster, "add-nodes"), follow=True).content.decode()

    assert f"<h1>Add nodes to {cluster.name}</h1>" in page


def test_add_nodes_leads_back_to_the_cluster(pages, cluster):
    page = pages.post(url(cluster, "add-nodes"), follow=True).content.decode()

    assert f'<a class="button quiet" href="{url(cluster)}">Back</a>' in page


def test_add_nodes_ticks_no_available_node(pages, cluster, settings):
    settings.SETUP_WIZARD_NODES = ["10.0.0.7:9443"]
    of_new_cluster = pages.get(reverse("clusters:new")).content.decode()

    page = pages.post(url(cluster, "add-nodes"), follow=True).content.decode()

    assert 'value="10.0.0.7:9443" checked>' in of_new_cluster
    assert 'value="10.0.0.7:9443">' in page


def test_page_for_added_nodes_offers_no_new_password(pages, maria):
    known = PlannedCluster(name="redis-prod.example.com")
    document = PlanDocument(cluster=known, members=("10.0.0.5",), nodes=(PlannedNode(address="10.0.0.6"),))
    plan = plans.add(document, by=maria)

    page = pages.get(reverse("clusters:cluster", args=[plan.pk])).content.decode()

    assert "Values for the nodes that join redis-prod.example.com." in page
    assert "data-generate" not in page


def test_added_node_of_a_rack_aware_cluster_needs_a_rack(pages, cluster, start_nodes):
    Cluster.objects.update(rack_aware=True)
    address = values_page(pages, cluster, start_nodes)
    page = pages.get(address).content.decode()
    plan = Plan.objects.get(run=None)

    entered = {"version": plan.version, "username": "admin@example.com", "password": PASSWORD, "addr-0": "127.0.0.1"}
    refused = pages.post(address, entered)

    assert f"{cluster.name} is rack-aware: every node needs a rack." in page
    assert refused.status_code == 422
    assert "needs a rack ID" in refused.content.decode()


def test_two_nodes_are_added_to_a_cluster(begin, cluster, start_nodes, pages, maria):
    pages.post(url(cluster, "add-nodes"))
    extended = Plan.objects.get(run=None).document
    run = begin(start_nodes(1), accept_new_certificate=False, **extended)

    work(run, until=lambda run: run.status.is_final)

    assert [attempt.action for attempt in attempts_of(run)] == ["join_cluster"]
    inventory.add_attempts()
    assert cluster.nodes.count() == 3


def test_cluster_of_others_is_hidden_where_attempts_are(client, cluster, settings, django_user_model):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    client.force_login(assign(django_user_model.objects.create_user("olaf"), Role.OPERATOR))

    assert client.get(url(cluster)).status_code == 404


def test_ended_run_leads_to_its_cluster(pages, begin, start_nodes):
    run = work(begin(start_nodes(1)), until=lambda run: run.status.is_final)

    page = pages.get(reverse("clusters:run", args=[run.pk])).content.decode()

    assert f'href="{url(Cluster.objects.get())}"' in page
