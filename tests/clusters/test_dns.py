"""The DNS records of a cluster, and a look-up against a name server on this machine."""

import re
import socket

import dns.rcode
import pytest
from django.urls import reverse

from setup_wizard.clusters import plans
from setup_wizard.clusters.dns import DnsState, NamedNode, as_zone_file, check, records_of
from setup_wizard.clusters.document import read_document
from tests.name_servers import name_server  # noqa: F401

NAME = "redis-prod.example.com"
NODES = [NamedNode("1", ["10.0.0.11"]), NamedNode("2", ["192.0.2.12", "2001:db8::12"], "10.0.0.12")]


def test_each_node_has_a_delegation_and_an_address():
    records = [str(record) for record in records_of("redis-prod.example.com", NODES)]

    assert records == [
        "redis-prod.example.com. NS node1.redis-prod.example.com.",
        "redis-prod.example.com. NS node2.redis-prod.example.com.",
        "node1.redis-prod.example.com. A 10.0.0.11",
        "node2.redis-prod.example.com. A 192.0.2.12",
        "node2.redis-prod.example.com. AAAA 2001:db8::12",
    ]


def test_private_endpoints_delegate_the_internal_zone_too():
    records = [str(record) for record in records_of("redis-prod.example.com", NODES, has_private=True)]

    assert "internal.redis-prod.example.com. NS node1.redis-prod.example.com." in records


def test_zone_file_has_a_line_for_each_record():
    records = records_of("redis-prod.example.com", NODES)

    assert len(as_zone_file(records).splitlines()) == len(records)


@pytest.mark.parametrize(
    ("targets", "rcode", "state"),
    [
        ((), dns.rcode.NXDOMAIN, DnsState.NOT_DELEGATED),
        ((), dns.rcode.NOERROR, DnsState.NOT_DELEGATED),
        ((), dns.rcode.SERVFAIL, DnsState.UNANSWERED),
        (("node1.c.example.com.",), dns.rcode.NOERROR, DnsState.INCOMPLETE),
        (("node1.c.example.com.", "node9.c.example.com."), dns.rcode.NOERROR, DnsState.STALE),
        (("node1.c.example.com.", "NODE2.c.example.com."), dns.rcode.NOERROR, DnsState.RIGHT),
    ],
)
def test_look_up_tells_what_is_there(name_server, targets, rcode, state):  # noqa: F811
    name_server.update(targets=targets, rcode=rcode)

    assert check("c.example.com", NODES).state is state


def test_silent_name_server_is_given_up(settings, monkeypatch):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    settings.SETUP_WIZARD_RESOLVER = f"127.0.0.1:{silent.getsockname()[1]}"
    monkeypatch.setattr("setup_wizard.nodes.delegation.LOOKUP_SECONDS", 0.5)

    assert check("c.example.com", NODES).state is DnsState.UNANSWERED
    silent.close()


@pytest.fixture
def planned(pages, maria):
    """A plan of two nodes that is complete, and the look-up on its review."""
    nodes = [{"address": f"10.0.0.{number}:9443", "addr": f"10.0.0.{number}"} for number in (11, 12)]
    document = {"cluster": {"name": NAME}, "username": "admin@example.com", "nodes": nodes}
    plan = plans.add(read_document(document), by=maria)
    return plan, reverse("clusters:delegation", args=[plan.pk])


@pytest.mark.django_db
def test_review_of_a_plan_looks_the_name_up_on_demand(pages, planned, name_server):  # noqa: F811
    plan, url = planned
    name_server.update(rcode=dns.rcode.NXDOMAIN)
    before = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()
    assert (url in before, name_server["asked"]) == (True, [])

    page = pages.post(url).content.decode()

    assert f"{NAME} is not delegated." in page
    assert "Each further node" not in page
    assert [line.split() for line in re.split(r"<pre[^>]*><code>", page)[1].split("</code>")[0].splitlines()] == [
        [f"{NAME}.", "IN", "NS", f"node1.{NAME}."],
        [f"{NAME}.", "IN", "NS", f"node2.{NAME}."],
        [f"node1.{NAME}.", "IN", "A", "10.0.0.11"],
        [f"node2.{NAME}.", "IN", "A", "10.0.0.12"],
    ]


@pytest.mark.django_db
def test_name_of_a_plan_must_be_delegated_to_every_node(pages, planned, name_server):  # noqa: F811
    _, url = planned
    htmx = {"HX-Request": "true"}

    name_server.update(targets=[f"node1.{NAME}."])
    assert "delegate it to them" in pages.post(url, headers=htmx).content.decode()
    name_server.update(targets=[f"node1.{NAME}.", f"node2.{NAME}."])
    page = pages.post(url, headers=htmx).content.decode()

    assert page.lstrip().startswith('<section class="part" id="delegation"')
    assert f"{NAME} is delegated to node1.{NAME} and node2.{NAME}." in page
