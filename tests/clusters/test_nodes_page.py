"""The first page of a plan: addresses, answers, certificates."""

import re

import pytest
from django.urls import reverse

from setup_wizard.attempts.states import State
from setup_wizard.clusters import plans
from setup_wizard.clusters.document import PlanDocument, PlannedNode
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.attempts.attempt_rows import add_attempt
from tests.clusters.conftest import answer_all, post

pytestmark = pytest.mark.django_db(transaction=True)


def printed(nodes):
    """What the command prints on the nodes themselves."""
    seen = [probe(Address.parse(node.address)).certificate.fingerprint for node in nodes]
    return "\n".join(f"sha256 Fingerprint={fingerprint}" for fingerprint in seen)


def test_page_shows_what_every_node_answered(pages, plan, three_nodes):
    page = pages.get(reverse("clusters:nodes", args=[plan.pk])).content.decode()

    assert all(f"<code>{node.address}</code>" in page for node in three_nodes)
    assert page.count("Ready to set up") == 3
    assert "No certificate has been compared yet" in page


def test_pasted_fingerprints_approve_the_nodes_that_match(pages, plan, three_nodes):
    page = post(pages, plan, do="compare", pasted=printed(three_nodes[:2])).content.decode()

    assert "2 of 3 nodes match" in page
    assert f"No fingerprint fits {three_nodes[2].address}" in page
    plan.refresh_from_db()
    assert [bool(node.fingerprint) for node in plan.content.nodes] == [True, True, False]


def test_demo_reads_fingerprints_from_its_files_instead_of_by_ssh(pages, plan, settings, tmp_path):
    url = reverse("clusters:nodes", args=[plan.pk])
    in_production = pages.get(url).content.decode().partition("Compare the certificates")[2].partition("</fieldset>")[0]
    settings.SETUP_WIZARD_DEMO_DIRECTORY = str(tmp_path)

    in_demo = pages.get(url).content.decode().partition("Compare the certificates")[2].partition("</fieldset>")[0]

    assert "openssl s_client" in in_production
    assert "openssl s_client" not in in_demo
    assert "fingerprints</code>" in in_demo


def test_nothing_is_left_to_compare_once_every_row_that_came_in_matches(pages, plan, three_nodes):
    fragment = reverse("clusters:node-rows", args=[plan.pk])
    before = pages.get(fragment).content.decode()

    post(pages, plan, do="compare", pasted=printed(three_nodes))
    page, after = pages.get(reverse("clusters:nodes", args=[plan.pk])).content.decode(), pages.get(fragment)

    assert 'id="compare"' not in before
    assert 'id="compare"' not in page
    assert '<div id="compare" hidden hx-swap-oob="true"></div>' in after.content.decode()
    assert "3 of 3 certificates match." in page


def test_fingerprint_of_another_machine_approves_nothing(pages, plan):
    page = post(pages, plan, do="compare", pasted="AB:" * 31 + "AB").content.decode()

    assert "0 of 3 nodes match" in page
    plan.refresh_from_db()
    assert not any(node.fingerprint for node in plan.content.nodes)


def test_certificate_is_approved_only_if_the_node_still_shows_it(pages, plan, three_nodes):
    first, second, _ = (node.address for node in three_nodes)
    shown = {look.address: look.fingerprint for look in plan.looks.all()}

    post(pages, plan, do=f"match:{first}", **{f"shown:{first}": shown[first]})
    page = post(pages, plan, do=f"match:{second}", **{f"shown:{second}": shown[first]}).content.decode()

    assert f"{second} shows another certificate now" in page
    plan.refresh_from_db()
    assert [node.fingerprint for node in plan.content.nodes] == [shown[first], "", ""]


def test_next_needs_every_certificate(pages, plan, three_nodes):
    page = post(pages, plan, do="next", addresses="\n".join(node.address for node in three_nodes)).content.decode()

    assert re.search("Compare the certificates of .* first", page)


def test_order_can_be_changed(pages, plan, three_nodes):
    last = three_nodes[2].address

    post(pages, plan, do=f"up:{last}")

    plan.refresh_from_db()
    assert [node.address for node in plan.content.nodes][1] == last


def test_node_that_does_not_answer_says_why(pages, plan):
    post(pages, plan, do="check", addresses="127.0.0.1:1")
    answer_all()

    page = pages.get(reverse("clusters:nodes", args=[plan.pk])).content.decode()

    assert "127.0.0.1:1" in page
    assert "connection refused" in page.lower()


def test_outdated_page_changes_nothing(pages, plan, three_nodes):
    plan.refresh_from_db()
    url = reverse("clusters:nodes", args=[plan.pk])

    pages.post(url, {"version": plan.version, "do": f"remove:{three_nodes[0].address}"})
    page = pages.post(url, {"version": plan.version, "do": f"remove:{three_nodes[1].address}"}, follow=True)

    assert "the plan was changed after you opened the page" in page.content.decode()
    assert Plan.objects.get().content.nodes[0].address == three_nodes[1].address


def test_nodes_that_were_approved_before_need_no_comparison(pages, plan, three_nodes, maria):
    for node in three_nodes:
        seen = probe(Address.parse(node.address))
        trust.approve(seen.endpoint, seen.certificate, by=maria)

    page = post(pages, plan, do="next", addresses="\n".join(node.address for node in three_nodes))

    assert page.redirect_chain[-1][0] == reverse("clusters:cluster", args=[plan.pk])
    plan.refresh_from_db()
    assert all(node.fingerprint for node in plan.content.nodes)


def test_known_nodes_that_are_free_are_offered_and_ticked(pages, maria, settings):
    member, busy, planned = "10.0.0.5:9443", "10.0.0.6:9443", "10.0.0.8:9443"
    settings.SETUP_WIZARD_NODES = [member, busy, "10.0.0.7:9443", planned]
    running = plans.add(PlanDocument(nodes=(PlannedNode(address=planned),)), by=maria)
    Run.objects.create(plan=running, started_by=maria)
    add_attempt(maria, address=member, state=State.SUCCEEDED)
    add_attempt(maria, address=busy, state=State.IN_PROGRESS)

    page = pages.get(reverse("clusters:new")).content.decode()

    assert re.findall(r'name="listed" value="([^"]*)" checked', page) == ["10.0.0.7:9443"]
    assert page.count('name="listed"') == 1


def test_unticked_nodes_stay_unticked_in_a_refused_form(pages, settings):
    settings.SETUP_WIZARD_NODES = ["10.0.0.5:9443"]

    page = pages.post(reverse("clusters:new"), {"addresses": "10.0.0.9-2"}).content.decode()

    assert " checked" not in page


def test_next_compares_what_was_pasted(pages, plan, three_nodes):
    addresses = "\n".join(node.address for node in three_nodes)

    page = post(pages, plan, do="next", addresses=addresses, pasted=printed(three_nodes))

    assert page.redirect_chain[-1][0] == reverse("clusters:cluster", args=[plan.pk])


def test_next_stops_when_a_pasted_fingerprint_is_missing(pages, plan, three_nodes):
    addresses = "\n".join(node.address for node in three_nodes)

    page = post(pages, plan, do="next", addresses=addresses, pasted=printed(three_nodes[:2]))

    assert f"No fingerprint fits {three_nodes[2].address}" in page.content.decode()
