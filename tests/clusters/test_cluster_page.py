"""What the page of a cluster says about its nodes, its past and its certificates."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.clusters import inventory
from setup_wizard.clusters.models import Cluster, Plan, Run, RunStep
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import Origin, TrustedCertificate
from tests.attempts.attempt_rows import REQUEST, add_attempt
from tests.nodes.servers import Identity

pytestmark = pytest.mark.django_db

NAME = "redis-prod.example.com"
CERTIFICATE = Identity().certificate


@pytest.fixture
def add(maria):
    """Add the node with this ID to the cluster, as the only one or in place of another."""

    def add(uid, number, minutes_ago, replaces=None):
        identity = {"addr": f"10.0.0.{number}"} | ({"uid": replaces} if replaces else {})
        action = "create_cluster" if number == 1 else "join_cluster"
        attempt = add_attempt(
            maria,
            f"10.0.0.{number}:9443",
            action=action,
            request=REQUEST | {"action": action, "node": {"identity": identity}},
            node_uid=uid,
            new_fingerprint=CERTIFICATE.fingerprint,
            minutes_ago=minutes_ago,
        )
        endpoint = Endpoint(Address(f"10.0.0.{number}"), f"10.0.0.{number}", 9443)
        origin = Origin.OPERATOR if number == 1 else Origin.CLUSTER
        trust.approve(endpoint, CERTIFICATE, by=maria, origin=origin)
        return attempt

    return add


@pytest.fixture
def cluster(add):
    for number in (1, 2, 3):
        add(str(number), number, 60 - number)
    inventory.add_newest_attempts()
    return Cluster.objects.get()


def page_of(client, cluster):
    return client.get(reverse("inventory:detail", args=[cluster.pk])).content.decode()


def test_page_says_when_a_node_can_be_replaced(pages, cluster):
    hint = "A node that is down can be replaced here after “Check now”."
    before = page_of(pages, cluster)
    cluster.nodes.filter(uid="3").update(status="down")

    page = page_of(pages, cluster)

    assert hint in before
    assert hint not in page
    assert "Replace<span" in page


def test_problem_of_a_replaced_node_is_dropped(pages, cluster, add):
    problems = [["3", "10.0.0.3:9443 did not answer"], ["2", "low disk"]]
    Cluster.objects.update(problems=problems, checked_at=timezone.now() - timedelta(minutes=30))
    assert "10.0.0.3:9443 did not answer" in page_of(pages, cluster)

    add("3", 4, 5, replaces=3)

    page = page_of(pages, cluster)
    assert "10.0.0.3:9443 did not answer" not in page
    assert "low disk" in page


def test_problem_that_was_found_after_the_replacement_stays(pages, cluster, add):
    add("3", 4, 30, replaces=3)
    Cluster.objects.update(problems=[["3", "did not answer"]], checked_at=timezone.now() - timedelta(minutes=5))

    assert "Node 3: did not answer" in page_of(pages, cluster)


def test_history_is_in_one_order_and_says_what_was_done(pages, cluster, add, maria):
    add("3", 4, 5, replaces=3)
    plan = Plan.objects.create(created_by=maria, changed_by=maria, document={"cluster": {"name": NAME}})
    run = Run.objects.create(plan=plan, started_by=maria, state="succeeded")
    Run.objects.update(created_at=timezone.now() - timedelta(minutes=40))
    joined = cluster.nodes.get(uid="2").attempt
    RunStep.objects.create(run=run, position=0, number=1, attempt_id=joined.pk)

    history = page_of(pages, cluster).partition('id="history"')[2].partition("</section>")[0]

    assert re.findall("<b>([^<]+)</b>", history) == [
        "Replaced node 3 by 10.0.0.4:9443",
        f"New cluster: {NAME}",
        "Joined 10.0.0.3:9443",
        "Joined 10.0.0.2:9443",
        "Created 10.0.0.1:9443",
    ]


def test_links_to_setups_do_not_look_like_actions(pages, cluster):
    page = page_of(pages, cluster)

    assert ">Created</a>" in page
    assert ">Joined</a>" in page
    assert ">Create a cluster</a>" not in page


@pytest.mark.parametrize(("policy", "words"), [({}, "off (at setup)"), ({"rack_aware": True}, "not known")])
def test_rack_awareness_is_that_of_the_setup_until_the_cluster_says(pages, cluster, policy, words):
    created = cluster.nodes.get(uid="1").attempt
    created.request = created.request | {"policy": policy}
    created.save()

    assert f"<dt>Rack awareness</dt><dd>{words}</dd>" in page_of(pages, cluster)

    Cluster.objects.update(rack_aware=False)
    assert "<dt>Rack awareness</dt><dd>off</dd>" in page_of(pages, cluster)


def test_certificates_say_how_they_came_to_be_trusted(pages, cluster, add):
    add("3", 4, 5, replaces=3)

    certificates = page_of(pages, cluster).partition('id="certificates"')[2]

    assert "<code>10.0.0.1:9443</code>, approved by maria" in certificates
    assert "<code>10.0.0.2:9443</code>, taken over when maria joined the node" in certificates
    assert "<code>10.0.0.3:9443</code> (no longer in the cluster), taken over" in certificates


def test_certificates_lead_administrators_to_withdrawing(client, pages, cluster):
    approval = TrustedCertificate.objects.get(address="10.0.0.2:9443")
    link = f'href="{reverse("admin:nodes_trustedcertificate_change", args=[approval.pk])}#withdraw"'
    of_operator = page_of(pages, cluster)
    client.force_login(assign(User.objects.create_user("ada"), Role.ADMINISTRATOR))

    page = page_of(client, cluster)

    assert link not in of_operator
    assert link in page


def test_next_steps_name_actions(pages, cluster):
    steps = page_of(pages, cluster).partition('id="next"')[2]

    assert "keep data off it" in steps
    assert "backup_interval" in steps
    assert "rladmin status" not in steps


def test_run_that_adds_nodes_has_texts_of_its_own(pages, cluster, maria):
    document = {"cluster": {"name": NAME}, "members": ["10.0.0.1"], "nodes": [{"address": "10.0.0.2"}]}
    plan = Plan.objects.create(created_by=maria, changed_by=maria, document=document)
    run = Run.objects.create(plan=plan, started_by=maria, state="succeeded")
    joined = cluster.nodes.get(uid="2").attempt
    RunStep.objects.create(run=run, position=0, number=1, attempt_id=joined.pk)

    page = pages.get(reverse("clusters:run", args=[run.pk])).content.decode()

    assert f"<h1>Add nodes to {NAME}</h1>" in page
    assert "for the DNS records, which the new nodes change." in page
    assert "create a database" not in page
    assert "what else a new cluster needs" not in page


def test_replacement_says_what_to_do_with_the_old_record(pages, cluster, add):
    attempt = add("3", 4, 5, replaces=3)

    page = pages.get(reverse("live:detail", args=[attempt.pk])).content.decode()

    assert "The address record of node 3 still names the old machine." in page
    assert "add an NS record" not in page
