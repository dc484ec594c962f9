"""The demo offers to reset its nodes when all of them are in clusters."""

from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.nodes import renewal

from .conftest import RunningNode

pytestmark = pytest.mark.django_db

BUTTON = ">Reset demo nodes</button>"


@pytest.fixture
def directory(settings, tmp_path):
    """A demo's directory, without a running demo."""
    settings.SETUP_WIZARD_DEMO = True
    settings.SETUP_WIZARD_DEMO_DIRECTORY = str(tmp_path)
    return tmp_path


@pytest.fixture
def attempt(maria):
    def make(node: RunningNode, state=State.SUCCEEDED):
        return Attempt.objects.create(
            requested_by=maria.user,
            action="create_cluster",
            host="127.0.0.2",
            address=node.address,
            cluster_name="redis-prod.example.com",
            request={},
            state=state,
        )

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


def test_reset_does_not_exist_outside_the_demo(maria, used_up, settings):
    settings.SETUP_WIZARD_DEMO = False

    assert BUTTON not in home_page(maria)
    assert maria.client.post("/setup/fresh/").status_code == 404


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
    assert "Nothing was changed" in maria.post("/setup/fresh/").content.decode()


def test_reset_reports_a_demo_that_does_not_answer(maria, used_up, monkeypatch):
    monkeypatch.setattr(renewal, "PATIENCE", 0.2)

    assert "did not answer" in maria.post("/setup/fresh/").content.decode()


def test_a_cluster_of_reset_nodes_is_not_offered(maria, used_up, directory, fresh_node):
    join = f"/setup/join/{used_up.pk}/"
    assert join in ask(maria, fresh_node)
    assert join in maria.open(f"/attempts/{used_up.pk}/").content.decode()

    (directory / renewal.RENEWED_AT).write_text((timezone.now() + timedelta(seconds=1)).isoformat())

    assert join not in ask(maria, fresh_node)
    assert "Create a cluster" in ask(maria, fresh_node)
    assert join not in maria.open(f"/attempts/{used_up.pk}/").content.decode()
    assert maria.client.post(join).status_code == 404
    assert BUTTON not in home_page(maria)  # after the reset the node was not tried yet


def ask(maria, node):
    return maria.client.post(
        "/setup/available/", {"address": node.address}, headers={"HX-Request": "true"}
    ).content.decode()
