"""Random schedules of every fault at once. A failure names its seed: `make chaos CHAOS_SEED=… CHAOS_ROUNDS=1`."""

import os
import random
import time
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from tests.faults.journal_checks import check_journals, describe
from tests.faults.test_points import AROUND_THE_POST, ENQUEUING, IN_THE_WORKER

pytestmark = [pytest.mark.faults, pytest.mark.chaos, pytest.mark.timeout(900)]

SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
ROUNDS = int(os.environ.get("CHAOS_ROUNDS") or 6)
SECONDS = 75.0
"""How long faults occur. After that, attempts have five minutes to end."""
BEHAVIOURS = [
    {},
    {"pace": 2},
    {"path": "/nowhere/persist"},
    {"path": "/nowhere/persist", "validates": False},
    {"faults": ["drop-answer=reset"]},
    {"faults": ["drop-answer=silence"]},
    {"faults": ["drop-answer=502"]},
    {"faults": ["swallow=reset"]},
    {"faults": ["swallow=silence"]},
    {"faults": ["hold-post=5"]},
    {"faults": ["hold-post=11"]},
    {"faults": ["reset-connection=5"]},
    {"faults": ["unavailable=4"], "pace": 1},
    {"accept_new_certificate": False},
]


@dataclass
class Round:
    """One system, the source of its random faults, and a list of those that were injected."""

    system: object
    chance: random.Random
    workers: list = field(default_factory=list)
    supervisors: list = field(default_factory=list)
    frozen: list = field(default_factory=list)
    done: list = field(default_factory=list)

    def restart_the_dead(self):
        """Restart what has died, as a process manager does, each time with other failpoints."""
        for number, worker in enumerate(self.workers):
            if not worker.is_up:
                self.workers[number] = self.worker()
        for number, supervisor in enumerate(self.supervisors):
            if not supervisor.is_up:
                self.supervisors[number] = self.supervisor()

    def worker(self):
        point, nth = self.chance.choice([*IN_THE_WORKER, *AROUND_THE_POST]), self.chance.randint(1, 6)
        action = self.chance.choice(["kill", "kill", "raise", "pause 3", "none"])
        words = [] if action == "none" else [f"{point.value}={action}:{nth}"]
        self.done += words
        return self.system.worker(*words)

    def supervisor(self):
        words = [f"{self.chance.choice(ENQUEUING).value}=kill:{self.chance.randint(3, 40)}"]
        self.done += words
        return self.system.supervisor(*words)

    def kill(self):
        part = self.chance.choice([*self.workers, *self.supervisors])
        part.end()
        self.done.append(f"kill {part.name}")

    def freeze(self):
        """Longer than a send may wait, but shorter than SQLite waits for its lock, which the frozen part may hold."""
        part = self.chance.choice([*self.workers, *self.supervisors])
        if part.is_up:
            part.freeze()
            time.sleep(self.chance.uniform(2.5, 9))
            part.thaw()
            self.done.append(f"freeze {part.name}")

    def forget_messages(self):
        with closing(self.system.redis()) as client:
            client.flushall()
        self.done.append("FLUSHALL")

    def freeze_queue(self):
        self.system.valkey.freeze()
        time.sleep(self.chance.uniform(2, 8))
        self.system.valkey.thaw()
        self.done.append("freeze queue")

    def restart_queue(self):
        self.system.valkey.kill()
        time.sleep(self.chance.uniform(0, 4))
        self.system.queue()
        self.done.append("kill queue")

    def disturb_database(self):
        """On SQLite, hold the lock for some seconds; on PostgreSQL, cut every connection, as a restart does."""
        if self.system.database.kind == "sqlite":
            with closing(self.system.database.lock()):
                time.sleep(self.chance.uniform(1, 6))
            self.done.append("lock database")
        else:
            self.system.database.cut()
            self.done.append("cut database connections")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_random_faults_break_no_promise(system, note, number):
    print(f"seed {SEED + number}")  # shown when it fails
    chance = random.Random(SEED + number)
    behaviours = chance.sample(BEHAVIOURS, k=len(BEHAVIOURS))
    round_ = Round(system, chance)
    round_.supervisors = [round_.supervisor(), round_.supervisor()]
    round_.workers = [round_.worker(), round_.worker()]
    operator = system.operator()
    faults = [
        *(round_.kill, round_.freeze, round_.forget_messages),
        *(round_.freeze_queue, round_.restart_queue, round_.disturb_database),
    ]
    started_at = time.monotonic()

    while time.monotonic() < started_at + SECONDS or behaviours:
        if behaviours:
            behaviour = {"faults": (), "pace": 0.2, "validates": True} | behaviours.pop()
            node_faults, pace, validates = (behaviour.pop(name) for name in ("faults", "pace", "validates"))
            node = system.node(*node_faults, pace=pace, validates=validates)
            start_in_spite_of_faults(system, operator, node, **behaviour)
        chance.choice(faults)()
        round_.restart_the_dead()
        time.sleep(chance.uniform(0, 2))
    for part in [*round_.workers, *round_.supervisors]:
        part.end()
    system.supervisor()
    last = system.worker()

    moving = [attempt for attempt in system.attempts if system.row(attempt)["ended_at"] is None]
    longest = max((system.resumed_by(attempt, last.back_at) for attempt in moving), default=0)
    system.settled(seconds=300)

    note(f"random faults, seed {SEED + number}: {len(round_.done)} of them", describe(check_journals(system)))
    assert longest < 35, f"seed {SEED + number}: {round_.done}"


def start_in_spite_of_faults(system, operator, node, **request):
    """Press Start until it works: the database or the node may be out of reach. A refused Start leaves no attempt."""
    for _ in range(30):
        try:
            return system.start(operator, node, **request)
        except Exception as refused:  # noqa: BLE001 - it may have made an attempt all the same
            rows = system.database.read("SELECT id FROM attempts_attempt WHERE address = ?", node)
            if rows:
                system.attempts[str(rows[0]["id"])] = node
                return str(rows[0]["id"])
            last = refused
            time.sleep(1)
    raise AssertionError(f"could not start: {last}")
