"""The pages of a plan need as many queries for 50 nodes as for three."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from setup_wizard.attempts.models import PreflightResult
from setup_wizard.clusters import checking, plans
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.models import NodeLook
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["nodes", "cluster", "review"]


@pytest.fixture
def answer(start_nodes):
    """What a freshly installed node answers."""
    (node,) = start_nodes(1)
    return probe(Address.parse(node.address))


@pytest.fixture
def make_plan(maria, answer):
    """Save a plan of some nodes that have answered and are approved, and whose checks have passed."""

    def make(count):
        addresses = [f"10.0.{count}.{number}:9443" for number in range(1, count + 1)]
        nodes = [{"address": each, "addr": Address.parse(each).host} for each in addresses]
        document = {"cluster": {"name": "redis-prod.example.com"}, "username": "admin@example.com", "nodes": nodes}
        plan = plans.add(read_document(document), by=maria)
        for each in addresses:
            address = Address.parse(each)
            seen = answer.as_json() | {"address": each, "ip": address.host}
            NodeLook.objects.create(plan=plan, address=each, probe=seen, asked_by=maria, answered_at=plan.created_at)
            trust.approve(Endpoint(address, address.host, address.port), answer.certificate, by=maria)
            owner = checking.owner_of(plan.pk, each)
            for name in ("reachable", "clock"):
                PreflightResult.objects.create(
                    owner=owner, version=1, run=owner, name=name, level="passed", message="Fine."
                )
        return plan

    return make


@pytest.mark.parametrize("page", PAGES)
def test_page_needs_the_same_queries_for_3_and_50_nodes(client, maria, make_plan, page):
    client.force_login(maria)
    few, many = (reverse(f"clusters:{page}", args=[make_plan(count).pk]) for count in (3, 50))
    client.get(few)  # what is read once for each process

    with CaptureQueriesContext(connection) as for_3:
        assert client.get(few).status_code == 200
    with CaptureQueriesContext(connection) as for_50:
        assert client.get(many).status_code == 200

    assert len(for_50) == len(for_3)
    assert TrustedCertificate.objects.count() == 53
