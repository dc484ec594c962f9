"""The home page: available nodes, open setups and drafts."""

import re
from html import unescape

import pytest

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from tests.attempts.attempt_rows import add_attempt

from .conftest import readable

pytestmark = pytest.mark.django_db


@pytest.fixture
def listed(settings, fresh_node, member):
    settings.SETUP_WIZARD_NODES = [fresh_node.address, member.address, "127.0.0.1:1"]
    return settings.SETUP_WIZARD_NODES


def ask(maria, address):
    return readable(
        maria.client.post("/setup/available/", {"address": address}, headers={"HX-Request": "true"}).content.decode()
    )


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
    listed_again = maria.client.post("/setup/available/", sent | {"member": "yes"}, headers=headers)

    assert [answer.get("HX-Trigger") for answer in (foreign, joined, listed_again)] == [None, "listed", None]


def test_a_fresh_node_offers_to_create_a_cluster(maria, listed):
    text = ask(maria, listed[0])

    assert "Ready to set up" in text
    assert "Create a cluster" in text


def test_a_member_has_no_setup_button(maria, listed):
    text = ask(maria, listed[1])

    assert "In a cluster" in text
    assert "Create" not in text


def test_a_node_without_answer_says_why_and_can_be_checked_again(maria, listed):
    text = ask(maria, listed[2])

    assert "Cannot connect to 127.0.0.1:1" in text
    assert "Check again" in text


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
