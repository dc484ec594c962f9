"""Any part killed at any moment: nothing is lost, and the node gets one request.

The moments are random; a failure names the seed, and `FAULTS_SEED` repeats it.
"""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.canary import find, read_files
from tests.faults.conftest import PASSWORD, accepted
from tests.project.processes import is_running, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(180)]

SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))
LONGEST = 7.0  # a create takes the demo's nodes about this long


@pytest.mark.parametrize(("number", "victims"), [(0, ["worker"]), (1, ["supervisor"]), (2, ["web", "valkey"])], ids=str)
def test_a_killed_part_is_restarted_and_the_attempt_succeeds(demo, client, rows, number, victims):
    node, chance = demo.nodes[number], random.Random(SEED + number)
    attempt = client.create(node["address"], cluster=f"redis-{number}.example.com")
    check_no_file_holds_the_password(demo)
    moments = sorted((chance.uniform(0, LONGEST), victim) for victim in victims)
    begun, killed = time.monotonic(), {}

    for moment, victim in moments:
        time.sleep(max(0.0, begun + moment - time.monotonic()))  # the moment itself is what is tried
        killed[victim] = demo.pids[victim]
        os.kill(killed[victim], signal.SIGKILL)

    row = rows.outcome(attempt, seconds=60)
    told = f"seed {SEED}, {moments}, {rows.kinds(attempt)}"
    assert row["state"] == "succeeded", told
    assert len(accepted(node)) == 1, told
    assert rows.kinds(attempt)[0] == "started", told
    assert rows.kinds(attempt)[-1] == "succeeded", told
    for victim, pid in killed.items():
        again = wait_until(lambda victim=victim, pid=pid: (new := demo.pids.get(victim)) != pid and new, seconds=20)
        assert is_running(again), told
    wait_until(demo.answers, seconds=20)
    check_nothing_was_left_behind(rows, attempt)
    check_the_sign_in_waited_to_be_asked_for(node)
    assert "Your cluster is up" in client.get(f"/attempts/{attempt}/")


def check_no_file_holds_the_password(demo):
    """While an attempt needs the password, the disk has it only sealed."""
    assert find(read_files(demo.path / "var"), {"password": PASSWORD}) == {}


def check_nothing_was_left_behind(rows, attempt):
    """The secret is gone with the outcome, the locks are free, and the events are numbered without a gap."""
    assert not rows.has_secret(attempt)
    assert rows.read("SELECT * FROM attempts_clusterlock WHERE attempt_id = ?", rows.key(attempt)) == []
    numbers = [event["seq"] for event in rows.events(attempt)]
    assert numbers == list(range(1, len(numbers) + 1))


def check_the_sign_in_waited_to_be_asked_for(node):
    """No request carried it before the node had answered 401 once."""
    lines = [json.loads(line) for line in Path(node["journal"]).read_text().splitlines()]
    asked = next(position for position, line in enumerate(lines) if line.get("status") == 401)
    assert not any(line.get("authorization") for line in lines[:asked])
    assert any(line.get("authorization") for line in lines[asked:])
