"""How many nodes of plans one user may probe in a minute."""

import pytest

from setup_wizard.access.models import RequestCount
from setup_wizard.clusters import looks, plans
from setup_wizard.clusters.document import read_document
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.clusters.conftest import answer_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_minute")]


@pytest.fixture(autouse=True)
def _small_limits(settings):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 1
    settings.SETUP_WIZARD_PLAN_PROBES_PER_MINUTE = 2


@pytest.fixture
def ask_all(maria):
    """Ask every node of one plan; return the messages of those that gave no answer."""
    plan = plans.add(read_document({}), by=maria)

    def ask(addresses):
        looks.ask(plan, addresses, by=maria)
        answer_all()
        return [look.message for look in plan.looks.all() if look.message]

    return ask


def test_nodes_of_a_plan_have_a_limit_of_their_own(ask_all, three_nodes):
    messages = ask_all([node.address for node in three_nodes])

    assert len(messages) == 1
    assert messages[0].startswith("The limit is 2 checks of different nodes per minute for each user.")


def test_same_node_counts_once_in_a_minute(ask_all, three_nodes):
    addresses = [node.address for node in three_nodes[:2]]

    assert [ask_all(addresses) for _ in range(4)] == [[]] * 4


def test_limit_begins_again_with_the_next_minute(ask_all, three_nodes):
    ask_all([node.address for node in three_nodes[:2]])
    RequestCount.objects.update(minute=1)

    assert ask_all([three_nodes[2].address]) == []


def test_approved_nodes_are_not_counted(ask_all, three_nodes, maria):
    for node in three_nodes:
        seen = probe(Address.parse(node.address))
        trust.approve(seen.endpoint, seen.certificate, by=maria)

    assert ask_all([node.address for node in three_nodes]) == []


def test_plans_leave_the_limit_of_single_nodes_alone(ask_all, three_nodes, maria):
    ask_all([node.address for node in three_nodes[:2]])

    assert probing.probe_node(three_nodes[2].address, by=maria)
    with pytest.raises(probing.TooManyProbes):
        probing.probe_node(three_nodes[2].address, by=maria)
