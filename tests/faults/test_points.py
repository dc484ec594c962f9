"""Killed and frozen at every named point of an attempt's way: at most one bootstrap, and everything goes on.

Each test is one world, in which many attempts run side by side, since what takes long is waiting: for the lease of the
dead (15 s) and for the quiet time of a POST that may have been lost (20 s).
"""

import pytest

from setup_wizard.failpoints import Point
from tests.faults.judge import describe, judge
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

RESUMED_WITHIN = 30
IN_THE_SUPERVISOR = [Point.RING_SEND, Point.RING_SENT, Point.SWEEP_COMMIT, Point.SWEEP_COMMITTED]
AT_A_BUTTON = [Point.START_COMMIT, Point.START_COMMITTED, Point.CHOICE_COMMIT, Point.CHOICE_COMMITTED]
IN_THE_WORKER = [point for point in Point if point not in {*IN_THE_SUPERVISOR, *AT_A_BUTTON}]


def kill_at_each(world, points, *faults, **node):
    """Let one worker after another die, each at its point, with an attempt begun for each; the moments of return."""
    operator = world.operator()
    returns = []
    for point in points:
        worker = world.worker(f"{point.value}=kill")
        returns.append(worker.spawned_at)
        world.start(operator, world.node(*faults, **node))
        wait_until(lambda worker=worker: not worker.is_up, seconds=60)
        assert worker.killed_itself, f"{point}: {world._said('worker')[-2000:]}"
    return returns


def test_a_worker_killed_at_any_point_costs_nothing(world, note):
    world.supervisor()
    kill_at_each(world, IN_THE_WORKER)
    last = world.worker()

    moving = [attempt for attempt in world.attempts if world.row(attempt)["ended_at"] is None]
    late = [world.resumed_by(attempt, last.spawned_at) for attempt in moving]
    world.settled()

    found = judge(world)
    note(f"kill -9 of the worker at {len(IN_THE_WORKER)} points", f"{describe(found)}; back in {max(late):.0f} s")
    assert max(late) < RESUMED_WITHIN
