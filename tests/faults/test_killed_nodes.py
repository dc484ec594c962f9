"""The node itself is killed in the middle of its bootstrap: believed as it comes back, waited for while away."""

import json
from dataclasses import dataclass

import pytest

from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.states import Reason
from setup_wizard.reference_node.files import Seal
from tests.faults.journal_checks import check_journals, describe
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.chaos, pytest.mark.timeout(400)]

PACE = 8
DEADLINE = {"SETUP_WIZARD_DEADLINE_SECONDS": "60"}


@dataclass
class Killed:
    system: object
    machine: object
    attempt: str

    @property
    def row(self):
        return self.system.row(self.attempt)

    @property
    def path(self):
        return self.machine.directory / "node.json"

    @property
    def phase(self):
        return self.read()["progress"]["phase"]

    def read(self):
        return json.loads(self.path.read_text())

    def return_reset(self):
        """Know nothing of a bootstrap, as after an installation that was repeated."""
        self.path.unlink()
        self.machine.restart()

    def return_at_work(self):
        self.machine.restart()

    def return_failing(self):
        """Find, when it goes on, that it cannot do what it was asked for."""
        record = self.read()
        seal = Seal(self.machine.directory)
        request = json.loads(seal.decrypt(record["pending"]))
        request["node"]["paths"] = {"persistent_path": "/nowhere/persist"}
        record["pending"] = seal.encrypt(json.dumps(request))
        self.path.write_text(json.dumps(record))
        self.machine.restart()

    def return_completed(self):
        """Say nothing to anybody until it is a member."""
        self.machine.restart(faults=["hang=tcp"])
        wait_until(lambda: self.phase == "completed", seconds=60)
        self.machine.put_faults()


def kill_at_work(system, number):
    """Kill so many nodes, each while it makes a cluster for an attempt, and wait until each is missed."""
    operator, machines = system.operator(), [system.machine(pace=PACE) for _ in range(number)]
    found = [Killed(system, machine, system.start(operator, machine.address)) for machine in machines]
    for each in found:
        wait_until(lambda each=each: each.row["state"] == "in_progress" and each.phase == "working", seconds=60)
        each.machine.kill()
    for each in found:
        wait_until(lambda each=each: "silent" in system.kinds(each.attempt), seconds=60)
    return operator, found


def test_a_node_killed_during_its_bootstrap_is_followed_when_it_is_back(system, note):
    system.supervisor()
    system.worker()
    _, nodes = kill_at_work(system, 4)
    reset, at_work, failing, completed = nodes

    reset.return_reset()
    at_work.return_at_work()
    failing.return_failing()
    completed.return_completed()
    system.settled()

    ended = [node.row["reason"] or node.row["state"] for node in nodes]
    assert ended == ["node_reset", "succeeded", "node_error", "succeeded"]
    assert all("answers_again" in system.kinds(node.attempt) for node in nodes)
    note("kill -9 of nodes at work: back reset, at work, failing, completed", describe(check_journals(system)))


def test_an_attempt_needs_the_operator_when_its_node_stays_away(system, note):
    system.supervisor(env=DEADLINE)
    first = system.worker(env=DEADLINE)
    operator, [away, given_up] = kill_at_work(system, 2)
    rows = system.settled(seconds=150)
    for row in rows:
        assert row["reason"] == Reason.LOST_CONTACT
        assert choices_of(Reason(row["reason"])) == (Choice.KEEP_WATCHING, Choice.STOP_WATCHING)
        assert (system.as_time(row["waiting_since"]) - system.as_time(row["deadline_at"])).total_seconds() < 60
        assert system.database.has_secret(str(row["id"]))
    first.kill()
    system.worker(env=DEADLINE)

    operator.ask("choose", attempt=given_up.attempt, choice="stop-watching")
    operator.ask("choose", attempt=away.attempt, choice="keep-watching")
    wait_until(lambda: system.kinds(away.attempt)[-1] == "silent", seconds=60)
    away.return_completed()
    system.settled()

    assert [away.row["state"], given_up.row["reason"]] == ["succeeded", "stopped"]
    note("kill -9 of nodes at work: away until the deadline, watched on", describe(check_journals(system)))
