"""A plan through its pages: cluster, review, Start."""

import re
import time

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import PreflightResult
from setup_wizard.clusters import checking
from setup_wizard.clusters.document import PlanKind
from setup_wizard.clusters.models import Run
from setup_wizard.clusters.review import build_review
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.clusters.conftest import PASSWORD, has_credentials, post

pytestmark = pytest.mark.django_db(transaction=True)

CLUSTER = {
    "name": "redis-prod.example.com",
    "username": "admin@example.com",
    "password": PASSWORD,
    "password_again": PASSWORD,
    "accept_new_certificate": "on",
}
FOREIGN_ADDRESSES = {f"addr-{position}": f"10.9.9.{position}" for position in range(3)}


@pytest.fixture
def plan(plan, pages, three_nodes, maria):
    """A plan whose nodes have answered and are approved."""
    for node in three_nodes:
        seen = probe(Address.parse(node.address))
        trust.approve(seen.endpoint, seen.certificate, by=maria)
    post(pages, plan, do="next", addresses="\n".join(node.address for node in three_nodes))
    plan.refresh_from_db()
    return plan


def save(pages, plan, **changes):
    plan.refresh_from_db()
    fields = {f"addr-{position}": "127.0.0.1" for position in range(3)}
    data = {"version": plan.version, **CLUSTER, **fields, **changes}
    return pages.post(reverse("clusters:cluster", args=[plan.pk]), {k: v for k, v in data.items() if v}, follow=True)


def wait_for_checks(plan):
    ends = time.monotonic() + 60
    while any(node.is_pending for node in checking.read(plan)):
        assert time.monotonic() < ends, "the checks do not end"
        time.sleep(0.05)


def start(pages, plan, **fields):
    plan.refresh_from_db()
    wait_for_checks(plan)
    return pages.post(reverse("clusters:review", args=[plan.pk]), {"version": plan.version, **fields}, follow=True)


def test_plan_is_started_from_its_review(pages, plan):
    save(pages, plan)
    page = start(pages, plan, accept_permanent="on")

    assert page.redirect_chain[-1][0] == reverse("clusters:run", args=[plan.pk])
    run = Run.objects.get()
    assert run.accepted_permanent
    assert has_credentials(run)


def test_review_shows_every_check_of_every_node(pages, plan, three_nodes):
    save(pages, plan)
    plan.refresh_from_db()
    wait_for_checks(plan)
    page = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()

    assert all(page.count(f"<code>{node.address}</code>") >= 2 for node in three_nodes)
    assert "What cannot be undone later" in page
    assert PASSWORD not in page


def test_start_needs_the_tick_for_what_can_never_be_changed(pages, plan):
    save(pages, plan)
    page = start(pages, plan)

    assert page.status_code == 422
    assert "tick the box" in page.content.decode()
    assert not Run.objects.exists()


def test_refused_start_keeps_what_was_ticked_and_typed(pages, plan, three_nodes):
    save(pages, plan, **FOREIGN_ADDRESSES)
    first, second, third = (f"{node.address}:address" for node in three_nodes)
    typed = {f"accept:{first}": "on", f"reason:{second}": "Made by “hand”", f"accept:{third}": "on"}

    page = start(pages, plan, accept_permanent="on", **typed, **{f"reason:{third}": "A lab"})

    assert page.status_code == 422
    assert not Run.objects.exists()
    shown = shown_answers(page)
    assert [shown[first], shown[second], shown[third]] == [(True, ""), (False, "Made by “hand”"), (True, "A lab")]
    assert 'id="accept_permanent" checked' in page.content.decode()


def test_start_saves_the_reason_for_each_accepted_check(pages, plan):
    save(pages, plan, **FOREIGN_ADDRESSES)
    keys = shown_answers(start(pages, plan))
    assert len(keys) >= 3

    start(
        pages,
        plan,
        accept_permanent="on",
        **{f"accept:{key}": "on" for key in keys},
        **{f"reason:{key}": f"About {key}" for key in keys},
    )

    saved = Run.objects.get().plan.overrides
    assert {f"{address}:{each['name']}": each["reason"] for address, own in saved.items() for each in own} == {
        key: f"About {key}" for key in keys
    }


def test_start_of_a_changed_plan_keeps_typed_reasons_without_ticks(pages, plan, three_nodes):
    save(pages, plan, **FOREIGN_ADDRESSES)
    plan.refresh_from_db()
    old = plan.version
    save(pages, plan, name="redis-test.example.com", **FOREIGN_ADDRESSES)
    wait_for_checks(plan)
    key = f"{three_nodes[1].address}:address"
    typed = {f"accept:{key}": "on", f"reason:{key}": "Made by hand", "accept_permanent": "on"}

    page = pages.post(reverse("clusters:review", args=[plan.pk]), {"version": old, **typed})

    assert page.status_code == 422
    assert shown_answers(page)[key] == (False, "Made by hand")
    assert 'id="accept_permanent" checked' not in page.content.decode()
    assert not Run.objects.exists()


def shown_answers(page):
    """Whether each check is ticked, and its reason, as the page shows them."""
    text = page.content.decode()
    ticks = dict(re.findall(r'name="accept:([^"]+)"( checked)?>', text))
    reasons = dict(re.findall(r'name="reason:([^"]+)"[^>]* value="([^"]*)"', text))
    return {key: (bool(ticked), reasons[key]) for key, ticked in ticks.items()}


def test_host_facts_do_not_count_as_checks(pages, plan):
    save(pages, plan)
    wait_for_checks(plan)
    plan.looks.update(host_facts={"values": {}, "paths": [], "peers": []})
    PreflightResult.objects.all().delete()
    page = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()

    assert "could not read" in page
    assert "Nothing has been checked yet" in page
    assert ">Check now<" in page


def test_review_names_the_nodes_that_were_not_checked(pages, plan, three_nodes):
    save(pages, plan)
    plan.refresh_from_db()
    wait_for_checks(plan)
    PreflightResult.objects.filter(owner=checking.owner_of(plan.pk, three_nodes[1].address)).delete()
    page = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()

    assert f"Not checked yet: <code>{three_nodes[1].address}</code></p>" in page
    assert "Nothing has been checked yet" not in page
    assert ">Check again<" in page


def test_failed_check_of_one_node_stops_start(pages, plan, three_nodes):
    save(pages, plan)
    three_nodes[1].stop()
    page = pages.post(reverse("clusters:check-again", args=[plan.pk]), follow=True)
    page = start(pages, plan, accept_permanent="on")

    assert page.status_code == 422
    assert "A check of a node failed" in page.content.decode()
    assert not Run.objects.exists()


def test_rack_aware_cluster_needs_a_rack_for_every_node(pages, plan, three_nodes):
    page = save(pages, plan, rack_aware="on", **{"rack_id-0": "rack-a"})

    assert page.status_code == 422
    assert f"{three_nodes[1].address} needs a rack ID" in page.content.decode()


def test_racks_are_spread_evenly(pages, plan):
    page = save(pages, plan, do="spread", racks="rack-a, rack-b").content.decode()

    assert re.findall(r'name="rack_id-\d" id="[^"]*" value="([^"]*)"', page) == ["rack-a", "rack-b", "rack-a"]


def test_spread_says_that_a_typed_password_is_needed_again(pages, plan):
    with_password = save(pages, plan, do="spread", racks="rack-a", password=PASSWORD).content.decode()
    without = save(pages, plan, do="spread", racks="rack-a", password="").content.decode()

    assert "Enter the password again" in with_password
    assert PASSWORD not in with_password
    assert "Enter the password again" not in without


def test_review_says_once_what_holds_for_several_nodes(pages, plan, three_nodes):
    save(pages, plan)
    plan.refresh_from_db()
    wait_for_checks(plan)
    warned = [node.address for node in build_review(plan).with_problems]
    page = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()

    assert warned == [node.address for node in three_nodes[1:]]
    assert page.count("print one after a join over another port") == 1
    assert f"<h3><code>{warned[0]}</code> <code>{warned[1]}</code> </h3>" in page


def test_review_links_a_check_to_the_field_that_it_is_about(pages, plan, three_nodes):
    three_nodes[2].stop()
    save(pages, plan, accept_new_certificate="", **{"addr-1": "10.9.9.9"})
    plan.refresh_from_db()
    wait_for_checks(plan)
    page = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()
    links = re.findall(r'<a href="([^"]+)">Change<span class="visually-hidden">: [\w ]+ of ([^<]+)</span>', page)

    cluster_page = reverse("clusters:cluster", args=[plan.pk])
    assert (f"{cluster_page}#id_accept_new_certificate", three_nodes[0].address) in links
    assert (f"{cluster_page}#id_addr-1", three_nodes[1].address) in links
    assert (reverse("clusters:nodes", args=[plan.pk]), three_nodes[2].address) in links
    form = pages.get(cluster_page).content.decode()
    assert all(f'id="{url.partition("#")[2]}"' in form for url, _ in links if "#" in url)


def test_review_names_the_racks_of_all_nodes_as_permanent(pages, plan):
    racks = {f"rack_id-{position}": rack for position, rack in enumerate(("rack-a", "rack-b", "rack-a"))}

    page = save(pages, plan, rack_aware="on", **racks).content.decode()

    addresses = [node.address for node in plan.content.nodes]
    lines = (f"{address}: {rack}" for address, rack in zip(addresses, ("rack-a", "rack-b", "rack-a"), strict=True))
    assert f"<strong>{'<br>'.join(lines)}</strong><br>A node stays in its rack until it is removed." in page


def test_different_passwords_are_refused_and_not_stored(pages, plan):
    page = save(pages, plan, password_again="Another-horse-7-battery")

    assert page.status_code == 422
    assert not has_credentials(plan)


def test_outdated_review_starts_nothing(pages, plan):
    save(pages, plan)
    plan.refresh_from_db()
    wait_for_checks(plan)
    old = plan.version
    save(pages, plan, name="redis-test.example.com")
    page = pages.post(
        reverse("clusters:review", args=[plan.pk]), {"version": old, "accept_permanent": "on"}, follow=True
    )

    assert "the plan was changed after you opened the page" in page.content.decode()
    assert not Run.objects.exists()


def test_password_of_another_operator_starts_nothing(client, pages, plan):
    save(pages, plan)
    client.force_login(assign(User.objects.create_user("ben"), Role.OPERATOR))

    page = start(client, plan, accept_permanent="on")

    assert "maria entered the password. Enter it again" in page.content.decode()
    assert not Run.objects.exists()


def test_recovery_file_makes_a_plan_for_a_lost_cluster(pages, plan, three_nodes):
    page = save(pages, plan, recovery_filename="/persist/ccs/ccs-redis.rdb").content.decode()

    assert "Now enter the ID of the lost node" in page
    assert re.findall(r'name="uid-(\d)"[^>]*value="(\d)"', page) == [("1", "2"), ("2", "3")]
    save(pages, plan, recovery_filename="/persist/ccs/ccs-redis.rdb", **{"uid-1": "3", "uid-2": "2"})
    plan.refresh_from_db()
    assert [node.uid for node in plan.content.nodes] == [None, 3, 2]
    assert plan.content.kind is PlanKind.RECOVER
    review = pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()
    assert "The machines of the old cluster are off" in review
