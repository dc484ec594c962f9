"""The demo offers to reset its nodes when all of them are in clusters."""

from threading import Thread

import pytest

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from setup_wizard.project.demo import node_reset
from tests.attempts.attempt_rows import add_attempt
from tests.project.processes import wait_until

from .conftest import RunningNode, trust_node

pytestmark = pytest.mark.django_db

BUTTON = ">Reset demo nodes</button>"


@pytest.fixture
def directory(settings, tmp_path):
    """A demo's directory, without a running demo."""
    settings.SETUP_WIZARD_DEMO_DIRECTORY = str(tmp_path)
    return tmp_path


@pytest.fixture
def attempt(maria):
    def make(node: RunningNode, state=State.SUCCEEDED):
        fingerprint = probe(Address.parse(node.address)).certificate.fingerprint
        return add_attempt(maria.user, node.address, state=state, fingerprint=fingerprint)

    return make


@pytest.fixture
def used_up(settings, directory, member, attempt):
    """The only node of this demo is in a cluster that was set up here."""
    settings.SETUP_WIZARD_NODES = [member.address]
    return attempt(member)


def home_page(maria):
    return maria.open("/setup/").content.decode()


def test_reset_is_offered_when_every_node_is_in_a_cluster(maria, used_up):
    assert BUTTON in home_page(maria)


def test_reset_does_not_exist_where_no_launcher_runs_the_nodes(maria, used_up, settings):
    settings.SETUP_WIZARD_DEMO_DIRECTORY = ""

    assert BUTTON not in home_page(maria)
    assert maria.client.post("/demo/nodes/reset/").status_code == 404


def test_reset_is_not_offered_while_a_node_is_free(maria, used_up, settings, fresh_node, attempt):
    settings.SETUP_WIZARD_NODES = [*settings.SETUP_WIZARD_NODES, fresh_node.address]
    assert BUTTON not in home_page(maria)

    attempt(fresh_node, State.FAILED)  # it was tried and is still free
    assert BUTTON not in home_page(maria)


def test_reset_is_not_offered_when_a_node_does_not_answer(maria, used_up, settings):
    settings.SETUP_WIZARD_NODES = ["127.0.0.1:1"]
    Attempt.objects.update(address="127.0.0.1:1")

    assert BUTTON not in home_page(maria)


def test_reset_is_refused_while_a_setup_is_open(maria, used_up, fresh_node, attempt):
    attempt(fresh_node, State.NEEDS_OPERATOR)

    assert BUTTON not in home_page(maria)
    assert "Nothing was changed" in maria.post("/demo/nodes/reset/").content.decode()


def test_reset_reports_a_demo_that_does_not_answer(maria, used_up, monkeypatch):
    monkeypatch.setattr(node_reset, "TIMEOUT_SECONDS", 0.2)

    assert "did not answer" in maria.post("/demo/nodes/reset/").content.decode()


@pytest.fixture
def launcher(directory):
    """Does what the pages ask for: here nothing."""
    request = directory / "reset-nodes"

    def delete_request():
        wait_until(request.exists)
        request.unlink()

    thread = Thread(target=delete_request)
    yield thread
    thread.join()


def test_reset_waits_for_the_launcher_and_withdraws_the_trust(maria, used_up, member, launcher):
    trust_node(member, by=maria.user)
    launcher.start()

    page = maria.post("/demo/nodes/reset/").content.decode()

    assert "The demo nodes were reset" in page
    assert BUTTON not in page  # the nodes count as not set up
    assert trust.approved(used_up.address) == []


def test_a_cluster_of_reset_nodes_is_not_offered(maria, used_up, member, fresh_node):
    join = f"/setup/join/{used_up.pk}/"
    trust_node(member, by=maria.user)
    assert join in ask(maria, fresh_node)
    assert join in maria.open(f"/attempts/{used_up.pk}/").content.decode()

    trust.withdraw(used_up.address, by=maria.user)

    assert "/setup/join/" not in ask(maria, fresh_node)
    assert "Set up this node alone" in ask(maria, fresh_node)
    assert join not in maria.open(f"/attempts/{used_up.pk}/").content.decode()
    assert maria.client.post(join).status_code == 404


def test_the_reset_appears_below_the_nodes_when_the_last_setup_ends(maria, used_up):
    assert 'hx-get="/demo/nodes/"' in home_page(maria)
    assert BUTTON in maria.open("/demo/nodes/").content.decode()


def ask(maria, node):
    return maria.client.post(
        "/setup/available/", {"address": node.address}, headers={"HX-Request": "true"}
    ).content.decode()
