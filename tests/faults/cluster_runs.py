"""Runs of whole clusters in a system to break: begun there, read from its rows, held against the nodes' journals."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from tests.faults.journal_checks import check_journals, check_they_joined_one_after_the_other, describe
from tests.faults.system import PASSWORD
from tests.project.processes import wait_until

SETTLED = {"paused", "succeeded", "stopped"}


@dataclass
class Run:
    """A run of a cluster of these nodes, as the rows tell it."""

    system: object
    nodes: list
    id: str

    @property
    def row(self):
        rows = self.system.database.read("SELECT * FROM clusters_run WHERE plan_id = ?", self.key)
        return rows[0]

    @property
    def key(self):
        return self.system.database.key(self.id)

    @property
    def kinds(self):
        return [event["kind"] for event in self.events]

    @property
    def events(self):
        return self.system.database.read("SELECT * FROM clusters_runevent WHERE run_id = ? ORDER BY seq", self.key)

    @property
    def attempts(self):
        """The node of each attempt that was begun for it, in the order of the plan."""
        steps = self.system.database.read(
            "SELECT position, attempt_id FROM clusters_runstep JOIN attempts_attempt AS a ON attempt_id = a.id"
            " WHERE run_id = ? ORDER BY position, number",
            self.key,
        )
        return {str(UUID(str(step["attempt_id"]))): self.nodes[step["position"]] for step in steps}

    def settled(self, seconds=180):
        """Wait until it has ended or is paused; its row."""
        return wait_until(lambda: (row := self.row)["state"] in SETTLED and row, seconds=seconds)

    def check(self, retried=()):
        """Hold the run and each of its attempts against the journals of the nodes; gives how they ended.

        Each node got one attempt at most, and one more for each time that it is in `retried`.
        """
        attempts = self.attempts
        self.system.attempts |= attempts
        self.system.joins |= dict.fromkeys(list(attempts)[1:], self.nodes[0])
        told = f"{self.row['state']} ({self.row['reason']}), {self.kinds}"
        begun = Counter(attempts.values())
        assert begun <= Counter(self.nodes) + Counter(retried), f"a node got too many attempts: {begun}, {told}"
        accepted = {node: len(self.system.accepted(node)) for node in self.nodes}
        assert max(accepted.values()) <= 1, f"a node accepted two bootstraps: {accepted}, {told}"
        check_they_joined_one_after_the_other(self.system, attempts)
        assert [event["seq"] for event in self.events] == list(range(1, len(self.events) + 1)), told
        if self.row["state"] == "succeeded":
            assert [len(self.system.accepted(node)) for node in self.nodes] == [1] * len(self.nodes), told
            assert self.kinds.count("node_started") == len(self.nodes), told
            assert not self.system.database.has_secret(self.id), told
        return describe(check_journals(self.system))


def begin(system, count=3, *, pace=0.1):
    """Start a run of so many fresh nodes."""
    return begin_with(system, [system.node(pace=pace, alone=False) for _ in range(count)])


def begin_with(system, nodes):
    words = {"nodes": nodes, "cluster": "redis-prod.example.com", "password": PASSWORD}
    return Run(system, nodes, system.operator().ask("start_run", **words)["run"])
