"""The look-up of a new cluster's name, on demand at Review."""

import dns.rcode
import pytest
from django.urls import reverse

from setup_wizard.access.models import RequestCount

pytestmark = pytest.mark.django_db
NAME = "redis-prod.example.com"


@pytest.fixture
def look_up(maria, fresh_node):
    """Press the button on the review of a new cluster, and give the words of the page."""
    maria.to_review(fresh_node)

    def press():
        maria.post(reverse("wizard:delegation", args=[maria.draft.pk]))
        return maria.text

    return press


def test_name_is_not_looked_up_before_the_button_is_pressed(look_up, name_server, maria):
    assert "Is the cluster's name delegated to its nodes?" in maria.text
    assert "is not delegated" not in maria.text
    assert name_server["asked"] == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"rcode": dns.rcode.NXDOMAIN}, f"{NAME} is not delegated. The name does not exist."),
        ({}, f"{NAME} is not delegated. The name has no NS records."),
        ({"rcode": dns.rcode.SERVFAIL}, f"{NAME} is delegated, and its name servers do not answer yet."),
        ({"targets": [f"node1.{NAME}."]}, f"{NAME} is delegated to node1.{NAME}. Each of them needs an address"),
        ({"referral": [f"node1.{NAME}."]}, f"{NAME} is delegated to node1.{NAME}. Each of them needs an address"),
        ({"targets": ["ns.example.net."]}, f"{NAME} is delegated to ns.example.net. The nodes of a cluster answer"),
    ],
    ids=["no name", "no records", "delegated and silent", "delegated", "referred", "delegated elsewhere"],
)
def test_look_up_says_what_was_found(look_up, name_server, answer, words):
    name_server.update(answer)

    assert words in look_up()


def test_missing_delegation_shows_the_records_to_add(look_up, name_server, fresh_node):
    name_server.update(rcode=dns.rcode.NXDOMAIN)

    text = look_up()

    assert f"{NAME}. IN NS node1.{NAME}." in text
    assert f"node1.{NAME}. IN A {fresh_node.address.partition(':')[0]}" in text


def test_htmx_gets_only_the_section(look_up, name_server, maria):
    url = reverse("wizard:delegation", args=[maria.draft.pk])

    page = maria.client.post(url, headers={"HX-Request": "true"}).content.decode()

    assert page.lstrip().startswith('<section class="part" id="delegation"')
    assert "Look up the name again" in page


def test_look_ups_are_counted_as_probes(look_up, name_server, settings):
    name_server.update(rcode=dns.rcode.NXDOMAIN)
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 1
    RequestCount.objects.all().delete()  # of the node, and of who answers under its name

    assert "is not delegated" in look_up()
    assert "is not delegated" not in look_up()
    assert len(name_server["asked"]) == 1


def test_a_join_has_no_look_up(maria, fresh_node):
    maria.to_cluster(fresh_node, "join_cluster")

    page = maria.post(reverse("wizard:delegation", args=[maria.draft.pk]))

    assert "Look up the name" not in page.content.decode()
