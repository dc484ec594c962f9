"""The page of a cluster, and home."""

import pytest
from django.urls import reverse

from setup_wizard.access.roles import Role, assign
from setup_wizard.clusters import inventory
from setup_wizard.clusters.models import Cluster, ClusterNode, Plan
from tests.clusters.conftest import PASSWORD, attempts_of, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cluster(begin, start_nodes):
    """A cluster of two nodes, which a run brought up."""
    work(begin(start_nodes(2)), until=lambda run: run.status.is_final)
    inventory.read_attempts()
    return Cluster.objects.get()


def url(cluster, name="detail"):
    return reverse(f"inventory:{name}", args=[cluster.pk])


def check(pages, cluster, password=PASSWORD):
    data = {"sign_in_by": "password", "username": "admin@example.com", "password": password, "consent": "on"}
    return pages.post(url(cluster, "check"), data, follow=True)


def test_run_leaves_one_cluster_with_its_nodes(cluster):
    assert cluster.name == "redis-prod.example.com"
    assert [(node.uid, node.status) for node in cluster.nodes.order_by("uid")] == [("1", "active"), ("2", "active")]


def test_reading_the_attempts_twice_changes_nothing(cluster):
    before = list(ClusterNode.objects.values())

    inventory.read_attempts()

    assert list(ClusterNode.objects.values()) == before


def test_home_lists_the_cluster(pages, cluster):
    page = pages.get("/", follow=True).content.decode()

    assert "redis-prod.example.com" in page
    assert "2 of at least 3 nodes" in page


def test_page_shows_how_each_node_came_in(pages, cluster):
    page = pages.get(url(cluster)).content.decode()

    for node in cluster.nodes.all():
        assert f"<code>{node.address}</code>" in page
        assert reverse("live:detail", args=[node.attempt_id]) in page


def test_page_lists_the_records_of_every_node(pages, cluster):
    page = pages.get(url(cluster)).content.decode()

    assert "node1.redis-prod.example.com." in page
    assert "node2.redis-prod.example.com." in page


def test_check_now_shows_a_node_that_went_down(pages, cluster, start_nodes):
    second = cluster.nodes.get(uid="2")
    ClusterNode.objects.filter(pk=second.pk).update(status="down")

    page = check(pages, cluster).content.decode()

    cluster.refresh_from_db()
    assert cluster.checked_at
    assert cluster.nodes.get(uid="2").status == "active"
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


def test_two_nodes_are_added_to_a_cluster(begin, cluster, start_nodes, pages, maria):
    pages.post(url(cluster, "add-nodes"))
    extended = Plan.objects.get(run=None).document
    run = begin(start_nodes(1), cluster={}, accept_new_certificate=False, **extended)

    work(run, until=lambda run: run.status.is_final)

    assert [attempt.action for attempt in attempts_of(run)] == ["join_cluster"]
    inventory.read_attempts()
    assert cluster.nodes.count() == 3


def test_cluster_of_others_is_hidden_where_attempts_are(client, cluster, settings, django_user_model):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    client.force_login(assign(django_user_model.objects.create_user("olaf"), Role.OPERATOR))

    assert client.get(url(cluster)).status_code == 404


def test_ended_run_leads_to_its_cluster(pages, begin, start_nodes):
    run = work(begin(start_nodes(1)), until=lambda run: run.status.is_final)

    page = pages.get(reverse("clusters:run", args=[run.pk])).content.decode()

    assert f'href="{url(Cluster.objects.get())}"' in page
