"""Web dies while it starts a run or applies a choice about it: the run did it once, or not at all."""

from uuid import UUID

import pytest

from setup_wizard.failpoints import Point
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests import http_requests
from tests.faults.cluster_runs import Run, begin_with
from tests.faults.system import PASSWORD
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

STARTS = (Point.RUN_START_COMMIT, Point.RUN_START_COMMITTED)
CHOICES = (Point.RUN_CHOICE_COMMIT, Point.RUN_CHOICE_COMMITTED)
LONG_AGO = "2026-01-01 00:00:00+00:00"


class Chooser:
    """Makes each choice with an operator who dies at a point of it; another one repeats it if needed."""

    def __init__(self, system, point):
        self.system, self.point, self.made = system, point, []
        self.get_ready()

    def get_ready(self):
        self.dying = self.system.operator(f"{self.point.value}=kill")
        self.other = self.system.operator()
        for operator in (self.dying, self.other):
            operator.ask("wait")  # a busy machine takes its time to start them

    def choose(self, run, choice, **words):
        """Make a choice; it holds if it was committed, and otherwise the other operator makes it."""
        before, words = run.row, {"run": run.id, "choice": choice, **words}
        assert self.dying.ask("choose_run", **words) is None
        self.dying.part.process.wait(10)
        assert self.dying.part.killed_itself
        self.made.append(choice)
        if self.point is Point.RUN_CHOICE_COMMIT:
            assert run.kinds.count(choice) == self.made.count(choice) - 1
            assert run.row["pause_requested"] == before["pause_requested"]
            self.other.ask("choose_run", **words)
        assert run.kinds.count(choice) == self.made.count(choice)
        self.get_ready()


@pytest.mark.parametrize("point", CHOICES)
def test_choice_about_a_run_is_made_once_or_not_at_all(system, note, point):
    """Every choice on the way: the second node fails once, the third always, and the run is stopped at the fourth."""
    system.supervisor()
    system.worker()
    nodes = [
        system.node(pace=2, alone=False),
        system.node("answer=400:post:once", alone=False),
        system.node("answer=400:post", alone=False),
        system.node(pace=2, alone=False),
    ]
    chooser = Chooser(system, point)
    run = begin_with(system, nodes)

    wait_until(lambda: system.accepted(nodes[0]), seconds=120)
    chooser.choose(run, "pause")
    comes_to(run, "paused", "requested")
    chooser.choose(run, "resume")
    comes_to(run, "paused", "attempt_failed")
    expire_credentials(run)
    chooser.choose(run, "credentials", password=PASSWORD)
    wait_until(lambda: nodes[2] in run.attempts.values(), seconds=120)
    comes_to(run, "paused", "attempt_failed")
    chooser.choose(run, "retry")
    wait_until(lambda: list(run.attempts.values()).count(nodes[2]) == 2, seconds=120)
    comes_to(run, "paused", "attempt_failed")
    chooser.choose(run, "skip")
    wait_until(lambda: system.accepted(nodes[3]), seconds=120)
    chooser.choose(run, "stop")

    system.settled(*run.attempts)
    assert run.row["state"] == "stopped"
    assert not system.database.has_secret(run.id)
    assert [len(system.accepted(node)) for node in nodes] == [1, 1, 0, 1]
    note(f"run of 4 nodes: kill -9 of web at {point.value}, six choices", run.check(retried=nodes[1:3]))


def comes_to(run, state, reason):
    wait_until(lambda: (run.row["state"], run.row["reason"]) == (state, reason), seconds=120)


def expire_credentials(run):
    """A day passes: what was stored for the run has expired."""
    sql = "UPDATE attempts_sealedcredentials SET expires_at = ? WHERE owner = ?"
    run.system.database.write(sql, LONG_AGO, run.key)


@pytest.mark.parametrize("point", STARTS)
def test_start_of_a_run_is_done_once_or_not_at_all(system, note, point):
    """A program sends its plan again because web died before it answered."""
    system.supervisor()
    system.worker()
    nodes = [system.node(pace=1, alone=False) for _ in range(3)]
    token, plan = system.token(), plan_of(nodes)

    dying = system.web(f"{point.value}=kill")
    with pytest.raises(OSError):
        http_requests.call_api(dying.port, token, "/plans", plan)
    dying.process.wait(10)
    assert dying.killed_itself
    begun = system.database.read("SELECT plan_id FROM clusters_run")
    answer = http_requests.call_api(system.web().port, token, "/plans", plan)

    if point is Point.RUN_START_COMMIT:
        assert (begun, answer.status) == ([], 201), answer.text
    else:
        assert (len(begun), answer.status) == (1, 422), answer.text
    [started] = system.database.read("SELECT plan_id FROM clusters_run")
    run = Run(system, nodes, str(UUID(str(started["plan_id"]))))
    assert run.settled()["state"] == "succeeded", run.row["reason"]
    note(f"run of 3 nodes: kill -9 of web at {point.value}, and Start again", run.check())


def plan_of(nodes):
    """The body of the call, with the fingerprints that the nodes show."""
    planned = [
        {
            "address": node,
            "addr": node.rpartition(":")[0],
            "fingerprint": probe(Address.parse(node)).certificate.fingerprint,
        }
        for node in nodes
    ]
    return {
        "cluster": {"name": "redis-prod.example.com"},
        "accept_new_certificate": True,
        "credentials": {"username": "admin@example.com", "password": PASSWORD},
        "nodes": planned,
    }
