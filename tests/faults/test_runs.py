"""Runs of whole clusters under the same faults: each node accepts one bootstrap, one node at a time."""

import json
import time

import pytest

from setup_wizard.failpoints import Point
from tests.faults import test_run_choices
from tests.faults.cluster_runs import begin, begin_with
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

KILLED_AT = [
    pytest.param(Point.RUN_STEP_COMMIT, (1, 2), marks=pytest.mark.slow, id="run.step.commit"),
    pytest.param(Point.RUN_STEP_COMMITTED, (1, 2), marks=pytest.mark.slow, id="run.step.committed"),
    pytest.param(Point.RUN_BEGUN, (1, 2), id="run.begun"),
    pytest.param(Point.RUN_COMMIT, (1,), marks=pytest.mark.slow, id="run.commit"),
]
"""The points of a run with the passes at which one worker after the other dies: first at the create, then at a join."""


@pytest.mark.parametrize(("point", "passes"), KILLED_AT)
def test_a_worker_killed_at_any_point_of_a_run_costs_nothing(system, note, point, passes):
    system.supervisor()
    run = begin(system)

    killed = []
    for number in passes:
        worker = system.worker(f"{point.value}=kill:{number}", name=f"worker-{number}")
        wait_until(lambda worker=worker: not worker.is_up, seconds=120)
        killed.append(worker)
    system.worker(name="last")
    row = run.settled()

    assert all(worker.killed_itself for worker in killed)
    assert row["state"] == "succeeded", row["reason"]
    note(f"run of 3 nodes: kill -9 of {len(passes)} workers at {point.value}", run.check())


@pytest.mark.slow
def test_a_supervisor_killed_during_a_run_is_replaced(system, note):
    first = system.supervisor()
    system.worker()
    run = begin(system, pace=1)
    wait_until(lambda: "node_started" in run.kinds, seconds=120)
    first.kill()
    assert run.row["state"] == "running"

    system.supervisor()
    row = run.settled()

    assert row["state"] == "succeeded", row["reason"]
    note("run of 3 nodes: kill -9 of the supervisor", run.check())


def test_two_supervisors_and_two_workers_begin_no_node_of_a_run_twice(system, note):
    system.supervisor()
    system.supervisor(name="second supervisor")
    system.worker()
    system.worker(name="second worker")

    run = begin(system)
    row = run.settled()

    assert row["state"] == "succeeded", row["reason"]
    note("run of 3 nodes: two supervisors and two workers", run.check())


@pytest.mark.slow
def test_a_run_goes_on_when_the_queue_is_back(system, note):
    system.supervisor()
    system.worker()
    run = begin(system, pace=1)
    wait_until(lambda: "node_started" in run.kinds, seconds=120)
    system.valkey.kill()
    time.sleep(6)  # how long it is away is what is tried
    assert run.row["state"] == "running"

    system.queue()
    row = run.settled()

    assert row["state"] == "succeeded", row["reason"]
    note("run of 3 nodes: kill -9 of the queue, away for 6 s", run.check())


@pytest.mark.slow
def test_a_node_killed_between_its_end_and_its_proof_is_waited_for(system, note):
    """The cluster has not been asked yet whether it lists the node; nothing else begins until it has said so."""
    first, machine, third = system.node(alone=False), system.machine(pace=2, alone=False), system.node(alone=False)
    system.supervisor()
    worker = system.worker()
    run = begin_with(system, [first, machine.address, third])

    def attempt():
        return next((each for each, node in run.attempts.items() if node == machine.address), None)

    def phase():
        return json.loads((machine.directory / "node.json").read_text())["progress"]["phase"]

    wait_until(lambda: attempt() and system.row(attempt())["state"] == "in_progress", seconds=120)
    worker.freeze()  # so that the node is not asked between its end and its death
    wait_until(lambda: phase() == "completed", seconds=120)
    machine.kill()
    worker.thaw()
    wait_until(lambda: "silent" in system.kinds(attempt()), seconds=120)
    assert third not in run.attempts.values()

    machine.restart()
    row = run.settled()

    assert row["state"] == "succeeded", row["reason"]
    note("run of 3 nodes: kill -9 of a node that had just completed", run.check())


def test_the_tests_of_runs_pass_every_point_of_a_run():
    points = {each.values[0] for each in KILLED_AT}

    of_web = {*test_run_choices.STARTS, *test_run_choices.CHOICES}
    assert points | of_web == {point for point in Point if point.value.startswith("run.")}
