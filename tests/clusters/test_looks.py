"""The nodes of a plan are asked together, and each answer is kept as soon as it is there."""

from threading import Thread

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from setup_wizard.clusters import looks, plans
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.timing import LEASE
from setup_wizard.nodes import probe

pytestmark = pytest.mark.django_db(transaction=True)

HANG = "hang=tls"


@pytest.fixture
def plan(maria):
    return plans.add(read_document({}), by=maria)


def ask(plan, nodes):
    """Ask these nodes; give the batch that the supervisor enqueues for them."""
    looks.ask(plan, [node.address for node in nodes], by=plan.created_by)
    [batch] = looks.due(timezone.now())
    return batch


def test_nodes_asked_together_are_enqueued_once(plan, three_nodes):
    batch = ask(plan, three_nodes)

    now = timezone.now()
    assert list(looks.due(now)) == []
    assert list(looks.due(now + LEASE)) == [batch]


def test_nodes_added_later_do_not_ask_the_first_ones_again(plan, three_nodes):
    first = ask(plan, three_nodes[:2])
    second = ask(plan, three_nodes[2:])

    looks.answer(second)

    assert [look.batch for look in plan.looks.filter(answered_at=None)] == [first, first]


def test_answers_are_kept_while_another_node_hangs(plan, three_nodes):
    hanging = three_nodes[0]
    hanging.put_faults(HANG)

    looks.answer(ask(plan, three_nodes))

    times = {look.address: look.answered_at for look in plan.looks.all()}
    last = times.pop(hanging.address)
    assert all((last - each).total_seconds() > 1 for each in times.values())
    assert plan.looks.get(address=hanging.address).message


def test_late_answer_does_not_replace_that_of_a_newer_question(plan, three_nodes):
    node = three_nodes[0]
    node.put_faults(HANG)
    late = Thread(target=answer_and_close, args=[ask(plan, [node])])
    late.start()
    node.put_faults()

    looks.answer(when_unlocked(ask, plan, [node]))
    late.join()

    [look] = plan.looks.all()
    assert (look.probe is not None, look.message) == (True, "")


def test_bug_with_one_node_keeps_the_answers_of_the_others(plan, three_nodes, monkeypatch):
    broken, ask_node = three_nodes[1], probe.probe_endpoint

    def fail(endpoint, **more):
        if str(endpoint.address) == broken.address:
            raise RuntimeError("a bug")
        return ask_node(endpoint, **more)

    monkeypatch.setattr(probe, "probe_endpoint", fail)

    with pytest.raises(RuntimeError, match="a bug"):
        looks.answer(ask(plan, three_nodes))

    assert [look.address for look in plan.looks.filter(answered_at=None)] == [broken.address]


def when_unlocked(action, *arguments):
    """Try until the other thread has ended its transaction: SQLite in memory refuses where a file waits."""
    while True:
        try:
            return action(*arguments)
        except OperationalError as problem:
            if "locked" not in str(problem):
                raise


def answer_and_close(batch):
    when_unlocked(looks.answer, batch)
    connections.close_all()
