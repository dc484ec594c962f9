"""Joins under the same faults as creates: sent once, proved by the cluster, and one node at a time in each cluster.

Each cluster was made by somebody else. What the cluster itself lists in the end is held against the rows by `judge.py`.
"""

from itertools import cycle

import pytest

from setup_wizard.failpoints import Point
from tests.faults import strangers
from tests.faults.judge import describe, judge
from tests.faults.test_doubt import LOST, together
from tests.faults.test_points import (
    AROUND_THE_POST,
    IN_THE_WORKER,
    check_it_goes_on,
    come_to,
    freeze_and_take_over,
    stop_at_each,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SIDE_BY_SIDE = 7
SUBMITTING = {
    3: [Point.CONNECT, Point.CONNECTED, Point.SECURED],
    4: [Point.SEND_GET, Point.SENT_GET, Point.RECEIVED_GET],
}
"""By the pass at which they belong to the request's own connection: before it the member is asked for its cluster's
name, and the node to check the request, which is two exchanges."""
NODES = {"fast": {}, "answer reset": {"faults": ["drop-answer=reset"]}}


def clusters(world, number):
    """Have so many clusters of one node; gives the members."""
    members = [world.node(alone=False) for _ in range(number)]
    for count, member in enumerate(members, start=1):
        strangers.establish(member, f"redis-there-{count}.example.com")
    return members


def join(world, operator, member, *, faults=(), pace=0.1):
    return world.start(operator, world.node(*faults, pace=pace, alone=False), member=member)


def in_turn(members):
    """Let each join be one to the next of these clusters."""
    turns = cycle(members)
    return lambda world, operator, **node: join(world, operator, next(turns), **node)


def test_nodes_join_a_cluster_one_after_the_other_and_only_the_cluster_makes_it_a_success(world, note):
    members = clusters(world, 2)
    world.supervisor()
    world.worker()
    world.worker(name="second worker")
    operator = world.operator()
    for member in members:
        first = join(world, operator, member, faults=["drop-answer=reset"])
        second = join(world, operator, member, faults=["drop-answer=502"])

    rows = world.settled()

    assert {row["state"] for row in rows} == {"succeeded"}
    assert "waiting" in {*world.kinds(first), *world.kinds(second)}
    note("joins side by side in each of two clusters, answers lost", describe(judge(world)))


@pytest.mark.chaos
@pytest.mark.parametrize("node", NODES)
def test_a_worker_killed_at_any_point_of_a_join_costs_nothing_with_a_node_that_is(world, note, node):
    begin = in_turn(clusters(world, SIDE_BY_SIDE))
    world.supervisor()
    points = come_to(IN_THE_WORKER, node)
    killed = stop_at_each(world, points, "kill", has_ended, begin=begin, **NODES[node])
    for passes, again in SUBMITTING.items():
        killed += stop_at_each(world, again, "kill", has_ended, begin=begin, passes=passes, **NODES[node])
    last = world.worker()

    longest = check_it_goes_on(world, last.back_at)

    assert all(worker.killed_itself for worker in killed)
    done = f"joins: kill -9 of the worker {len(killed)} times, nodes: {node}"
    note(done, f"{describe(judge(world))}; back in {longest:.0f} s")


def has_ended(worker):
    return not worker.is_up


@pytest.mark.chaos
def test_a_worker_that_was_frozen_around_the_post_of_a_join_changes_and_sends_nothing_when_it_wakes(world, note):
    begin = in_turn(clusters(world, len(AROUND_THE_POST)))

    longest = freeze_and_take_over(world, AROUND_THE_POST, begin=begin)

    found = f"{describe(judge(world))}; taken over in {longest:.0f} s"
    note(f"joins: SIGSTOP of the worker at {len(AROUND_THE_POST)} points around the POST", found)


@pytest.mark.chaos
def test_a_join_whose_fate_is_unknown_is_looked_into_and_sent_once_more_at_most(world, note):
    members = clusters(world, len(LOST))
    world.supervisor()
    world.worker()
    world.worker(name="second worker")
    operator = world.operator()
    attempts = {
        fault: join(world, operator, member, faults=[fault]) for fault, member in zip(LOST, members, strict=True)
    }

    world.settled()

    assert together(world, attempts) == LOST
    note(f"joins: {len(LOST)} ways to lose, hold or refuse a POST", describe(judge(world)))
