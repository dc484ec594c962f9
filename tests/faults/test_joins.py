"""Joins under the same faults as creates: sent once, proved by the cluster, and one node at a time in each cluster.

Each cluster was made by somebody else. In the end `journal_checks.py` compares the cluster's own list with the rows.
"""

from itertools import cycle

import pytest

from setup_wizard.failpoints import Point
from tests.faults import other_client
from tests.faults.journal_checks import check_journals, describe
from tests.faults.test_doubt import LOST, together
from tests.faults.test_points import AROUND_THE_POST, IN_THE_WORKER, come_to, freeze_and_take_over, kill_at_each

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SIDE_BY_SIDE = 7
SUBMITTING = {
    3: [Point.CONNECT, Point.CONNECTED, Point.SECURED],
    4: [Point.SEND_GET, Point.SENT_GET, Point.RECEIVED_GET],
}
"""By the pass at which they belong to the request's own connection: before it the member is asked for its cluster's
name, and the node to check the request, which is two exchanges."""
NODES = {"fast": {}, "answer reset": {"faults": ["drop-answer=reset"]}}


def clusters(system, number):
    """Have so many clusters of one node; gives the members."""
    members = [system.node(alone=False) for _ in range(number)]
    for count, member in enumerate(members, start=1):
        other_client.establish(member, f"redis-there-{count}.example.com")
    return members


def join(system, operator, member, *, faults=(), pace=0.1):
    return system.start(operator, system.node(*faults, pace=pace, alone=False), member=member)


def in_turn(members):
    """Let each join be one to the next of these clusters."""
    turns = cycle(members)
    return lambda system, operator, **node: join(system, operator, next(turns), **node)


def test_nodes_join_one_cluster_in_turn_and_the_cluster_confirms_each(system, note):
    members = clusters(system, 2)
    system.supervisor()
    system.worker()
    system.worker(name="second worker")
    operator = system.operator()
    for member in members:
        first = join(system, operator, member, faults=["drop-answer=reset"])
        second = join(system, operator, member, faults=["drop-answer=502"])

    rows = system.settled()

    assert {row["state"] for row in rows} == {"succeeded"}
    assert "waiting" in {*system.kinds(first), *system.kinds(second)}
    note("joins side by side in each of two clusters, answers lost", describe(check_journals(system)))


@pytest.mark.chaos
@pytest.mark.parametrize("node", NODES)
def test_a_worker_killed_at_any_point_of_a_join_costs_nothing(system, note, node):
    begin = in_turn(clusters(system, SIDE_BY_SIDE))
    rounds = [(come_to(IN_THE_WORKER, node), 1), *((again, passes) for passes, again in SUBMITTING.items())]

    killed, found = kill_at_each(system, rounds, begin=begin, **NODES[node])

    note(f"joins: kill -9 of the worker {killed} times, nodes: {node}", found)


@pytest.mark.chaos
def test_a_worker_frozen_around_the_post_of_a_join_sends_nothing_later(system, note):
    begin = in_turn(clusters(system, len(AROUND_THE_POST)))

    found = freeze_and_take_over(system, AROUND_THE_POST, begin=begin)

    note(f"joins: SIGSTOP of the worker at {len(AROUND_THE_POST)} points around the POST", found)


@pytest.mark.chaos
def test_a_join_with_an_unknown_outcome_is_sent_once_more_at_most(system, note):
    members = clusters(system, len(LOST))
    system.supervisor()
    system.worker()
    system.worker(name="second worker")
    operator = system.operator()
    attempts = {
        fault: join(system, operator, member, faults=[fault]) for fault, member in zip(LOST, members, strict=True)
    }

    system.settled()

    assert together(system, attempts) == LOST
    note(f"joins: {len(LOST)} ways to lose, hold or refuse a POST", describe(check_journals(system)))
