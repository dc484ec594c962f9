"""The home page: available nodes, open setups and drafts."""

import re
import socket
from contextlib import contextmanager, suppress
from html import unescape
from threading import Thread

import pytest
from django.urls import reverse

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.clusters.models import Cluster
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.models import TrustedCertificate
from tests.attempts.attempt_rows import add_attempt
from tests.nodes.servers import Identity

from .conftest import readable

pytestmark = pytest.mark.django_db
OTHER = Identity().certificate


@pytest.fixture
def listed(settings, fresh_node, member):
    settings.SETUP_WIZARD_NODES = [fresh_node.address, member.address, "127.0.0.1:1"]
    return settings.SETUP_WIZARD_NODES


def ask(maria, address):
    return readable(raw(maria, address))


def raw(maria, address):
    headers = {"HX-Request": "true"}
    return maria.client.post("/setup/available/", {"address": address}, headers=headers).content.decode()


@contextmanager
def listening():
    """A port that accepts connections, closes each without a word, and knows no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=accept_all, args=(server,), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def accept_all(server):
    with suppress(OSError):
        while True:
            server.accept()[0].close()


def test_available_nodes_are_checked_when_the_page_opens(maria, listed):
    page = maria.open("/setup/").content.decode()

    for address in listed:
        assert address in maria.text
    assert page.count('hx-trigger="load, setups from:body"') == 3


@pytest.mark.parametrize("url", ["/setup/", "/clusters/"])
def test_nodes_that_are_in_a_cluster_stand_apart(maria, listed, member, url):
    add_attempt(maria.user, member.address)

    maria.open(url)

    available, _, members = maria.text.partition("Nodes in a cluster")
    assert listed[0] in available.partition("Available nodes")[2]
    assert member.address not in available.partition("Available nodes")[2]
    assert member.address in members


def test_a_member_is_not_offered_for_setup_before_its_check(maria, listed, member):
    add_attempt(maria.user, member.address)

    maria.open("/setup/")

    available, _, members = maria.text.partition("Nodes in a cluster")
    assert "Set up node" in available.partition("Available nodes")[2]
    assert "Check now" in members
    assert "Set up node" not in members.partition("Another node")[0]


def test_a_node_below_the_wrong_heading_makes_the_page_list_them_again(maria, listed, member):
    sent = {"address": member.address}
    headers = {"HX-Request": "true"}
    foreign = maria.client.post("/setup/available/", sent, headers=headers)
    add_attempt(maria.user, member.address)

    joined = maria.client.post("/setup/available/", sent, headers=headers)
    listed_again = maria.client.post("/setup/available/", sent | {"place": "members"}, headers=headers)

    assert [answer.get("HX-Trigger") for answer in (foreign, joined, listed_again)] == [None, "listed", None]


def test_a_fresh_node_offers_to_be_set_up_alone(maria, listed):
    text = ask(maria, listed[0])

    assert "Ready to set up" in text
    assert "Set up this node alone" in text
    assert "Create a cluster" not in text  # which needs several nodes, and begins above


def test_setting_up_a_node_alone_makes_a_cluster_of_it(maria, listed):
    maria.post("/setup/", address=listed[0])

    assert maria.fields["action"] == "create_cluster"


def test_a_member_has_no_setup_button(maria, listed):
    text = ask(maria, listed[1])

    assert "In a cluster" in text
    assert "Set up" not in text


def test_a_node_without_answer_says_why_and_can_be_checked_again(maria, listed):
    text = ask(maria, listed[2])

    assert "Cannot connect to 127.0.0.1:1" in text
    assert "Check again" in text


@pytest.mark.parametrize("url", ["/setup/", "/clusters/"])
def test_a_member_whose_certificate_is_withdrawn_is_not_offered(maria, listed, member, created, url):
    before = trust.approve(Endpoint(Address.parse(member.address), "127.0.0.2", 9443), OTHER, by=maria.user)
    TrustedCertificate.objects.update(approved_at=created.created_at)
    TrustedCertificate.objects.filter(pk=before.pk).update(address=member.address)
    current = TrustedCertificate.objects.get(address=member.address, fingerprint=created.fingerprint)

    trust.withdraw_approval(current, by=maria.user)

    available, _, members = maria.open(url).content.decode().partition("Nodes in a cluster")
    assert member.address not in available.partition("Available nodes")[2]
    assert member.address in members
    assert "In a cluster" in ask(maria, member.address)


def test_a_node_whose_approvals_are_all_withdrawn_is_asked_before_it_is_offered(maria, settings, member, created):
    settings.SETUP_WIZARD_NODES = [member.address]
    trust.withdraw(member.address, by=maria.user)
    TrustedCertificate.objects.update(approved_at=created.created_at)

    available = maria.open("/clusters/").content.decode().partition("Available nodes")[2]

    assert member.address in available
    assert "Set up node" not in available
    assert "Set up" not in ask(maria, member.address)


def test_a_member_that_is_down_leads_to_its_cluster(maria, listed):
    add_attempt(maria.user, listed[2], node_uid="3", new_fingerprint=":".join(["CD"] * 32))

    text = ask(maria, listed[2])
    url = reverse("inventory:detail", args=[Cluster.objects.get().pk])

    assert "It is node 3 of redis-prod.example.com . If it does not come back, replace it there." in text
    assert f'href="{url}"' in raw(maria, listed[2])


@pytest.mark.parametrize("url", ["/setup/", "/clusters/"])
def test_a_replaced_node_stands_apart_and_says_so(maria, listed, member, url):
    cluster = {"node_uid": "3", "new_fingerprint": ":".join(["CD"] * 32)}
    add_attempt(maria.user, listed[2], **cluster)
    add_attempt(maria.user, "10.0.0.9:9443", minutes_ago=1, action="join_cluster", **cluster)

    page = maria.open(url).content.decode().partition("Available nodes")[2]
    text = ask(maria, listed[2])

    assert listed[2] in page.partition("Replaced nodes")[2]
    assert listed[2] not in page.partition("Replaced nodes")[0]
    assert "Replaced by 10.0.0.9:9443 in redis-prod.example.com" in text
    assert "Cannot connect" not in text


def test_a_node_that_answered_before_has_the_right_port(maria, settings, fresh_node):
    with listening() as address:  # accepts connections, and answers nothing
        settings.SETUP_WIZARD_NODES = [address]
        unknown = ask(maria, address)
        endpoint = Endpoint(Address.parse(address), "127.0.0.1", int(address.rpartition(":")[2]))
        trust.approve(endpoint, OTHER, by=maria.user)

        known = ask(maria, address)

    assert "which is usually 9443" in unknown
    assert "usually 9443" not in known
    assert "The node may be down or restarting." in known


def test_home_says_when_the_state_of_a_cluster_was_known(maria, listed):
    add_attempt(maria.user, listed[2], minutes_ago=7)

    page = maria.open("/clusters/").content.decode()

    assert re.search(r"1 of at least 3 nodes</span></span><br><small><time", page)


def test_a_fresh_node_offers_to_join_a_known_cluster(maria, listed, member):
    add_attempt(maria.user, member.address)

    assert "Join redis-prod.example.com" in ask(maria, listed[0])
    assert "In a cluster · redis-prod.example.com Setup details" in ask(maria, listed[1])


def test_a_node_can_be_checked_without_a_script(maria, listed):
    page = maria.post("/setup/available/", address=listed[0])

    assert page.status_code == 200
    assert "Ready to set up" in maria.text
    assert listed[2] in maria.text


def test_own_drafts_are_listed(maria, ben, fresh_node):
    maria.to_cluster(fresh_node)
    draft = maria.draft.pk

    page = maria.open("/setup/").content.decode()

    assert f'href="/setup/{draft}/cluster/"' in page
    assert "Your drafts" in maria.text
    ben.open("/setup/")
    assert "Your drafts" not in ben.text


def test_a_draft_from_another_tab_appears_on_an_open_home_page(maria, fresh_node):
    before = maria.open("/setup/").content.decode()
    asked = unescape(re.search(r'id="open-setups" hx-get="([^"]+)"', before)[1])
    assert maria.client.get(asked).status_code == 204

    maria.to_review(fresh_node)

    answer = maria.client.get(asked)
    assert answer.status_code == 200
    assert "Your drafts" in answer.content.decode()
    assert fresh_node.address in answer.content.decode()


def test_open_setups_are_shown_to_everybody(maria, ben, fresh_node):
    maria.to_review(fresh_node)
    maria.start()

    page = ben.open("/setup/").content.decode()

    assert f'href="/attempts/{Attempt.objects.get().pk}/"' in page
    assert "Open setups" in ben.text


@pytest.mark.parametrize("behind", [False, True])
def test_a_setup_that_needs_action_does_not_look_busy(maria, listed, behind):
    waiting = {"state": State.QUEUED, "blocked_by": "10.0.0.6:9443", "blocker_needs_operator": True}
    add_attempt(
        maria.user,
        listed[0],
        **(waiting if behind else {"state": State.NEEDS_OPERATOR, "reason": Reason.OVERDUE}),
    )

    text = ask(maria, listed[0])
    page = maria.open("/setup/").content.decode()

    assert "Action needed" in text
    running = page.partition('id="open-setups"')[2].partition("</section>")[0]
    assert 'class="icon warn' in running
    assert 'class="icon live' not in running


def test_the_root_url_leads_to_the_clusters(maria):
    maria.open("/")

    assert maria.url == "/clusters/"
