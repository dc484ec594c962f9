"""How attempts come into the inventory of clusters: some at a time, in whatever order they are read."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.clusters import inventory
from setup_wizard.clusters.models import Cluster, ClusterNode
from tests.attempts.attempt_rows import add_attempt

pytestmark = pytest.mark.django_db


def add_nodes(maria, count):
    for number in range(count):
        add_attempt(maria, f"10.0.0.{number}:9443", minutes_ago=10 * (count - number), node_uid=str(number + 1))


def test_many_attempts_are_read_over_several_turns(maria, monkeypatch):
    monkeypatch.setattr(inventory, "AT_ONCE", 3)
    add_nodes(maria, 8)

    counts = []
    for _ in range(4):
        inventory.add_attempts()
        counts.append(ClusterNode.objects.count())

    assert counts == [3, 6, 8, 8]
    assert Cluster.objects.get().changed_at == Attempt.objects.latest("ended_at").ended_at


def test_a_page_reads_the_newest_attempts_first(maria, monkeypatch):
    monkeypatch.setattr(inventory, "NEWEST", 2)
    add_nodes(maria, 5)

    inventory.add_newest_attempts()

    assert sorted(ClusterNode.objects.values_list("uid", flat=True)) == ["4", "5"]


@pytest.mark.parametrize("order", [("ended_at", "pk"), ("-ended_at", "-pk")])
def test_an_index_gives_the_attempts_in_their_order(maria, order):
    add_nodes(maria, 20)
    if connection.vendor == "postgresql":  # so few rows are not worth an index
        with connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")

    plan = inventory._succeeded().order_by(*order)[:5].explain()

    assert "attempts_by_end" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("reads", [(inventory.add_newest_attempts, inventory.add_attempts), (inventory.add_attempts,)])
def test_a_node_shows_its_latest_attempt(maria, monkeypatch, reads):
    monkeypatch.setattr(inventory, "NEWEST", 1)
    add_attempt(maria, "10.0.0.5:9443", node_uid="1", minutes_ago=90)
    latest = add_attempt(maria, "10.0.0.6:9443", node_uid="1", minutes_ago=30)

    for read in (*reads, *reads):
        read()

    node = ClusterNode.objects.get()
    assert (node.attempt, node.address, node.seen_at) == (latest, "10.0.0.6:9443", latest.ended_at)


def test_what_the_cluster_said_later_stays(maria):
    attempt = add_attempt(maria, "10.0.0.5:9443", node_uid="1", minutes_ago=30)
    cluster = Cluster.objects.create(name="redis-prod.example.com", fingerprint=attempt.fingerprint)
    asked = timezone.now() - timedelta(minutes=1)
    ClusterNode.objects.create(cluster=cluster, uid="1", status="down", seen_at=asked)

    inventory.add_attempts()

    node = ClusterNode.objects.get()
    assert (node.status, node.seen_at, node.attempt) == ("down", asked, attempt)


@pytest.mark.parametrize("read_back", [True, False, None])
def test_a_cluster_is_rack_aware_when_it_has_said_so(maria, read_back):
    request = {"policy": {"rack_aware": True}, "node": {"identity": {"rack_id": "rack-a"}}}
    created = add_attempt(maria, "10.0.0.5:9443", node_uid="1", request=request)
    add_attempt(maria, "10.0.0.6:9443", node_uid="2")
    Event.objects.create(attempt=created, seq=90, kind="rack_awareness", data={"rack_aware": read_back})

    inventory.add_attempts()

    assert bool(Cluster.objects.get().rack_aware) is bool(read_back)
    assert ClusterNode.objects.get(uid="1").rack_id == "rack-a"
