"""Any part killed at any moment: nothing is lost, and the node gets one request.

The moments are random; a failure names the seed, and `FAULTS_SEED` repeats it.
"""

import json
import os
import random
import signal
import time
from pathlib import Path
from uuid import UUID

import pytest

from tests.faults.conftest import accepted
from tests.project.processes import is_running, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))
LONGEST = 7.0  # a create takes the demo's nodes about this long


@pytest.mark.parametrize(("number", "victims"), [(0, ["worker"]), (1, ["supervisor"]), (2, ["web", "valkey"])], ids=str)
def test_a_part_killed_in_the_middle_is_started_again_and_the_attempt_ends_well(demo, client, rows, number, victims):
    node, chance = demo.nodes[number], random.Random(SEED + number)
    attempt = client.create(node["address"], cluster=f"redis-{number}.example.com")
    moments = sorted((chance.uniform(0, LONGEST), victim) for victim in victims)
    begun, killed = time.monotonic(), {}

    for moment, victim in moments:
        time.sleep(max(0.0, begun + moment - time.monotonic()))  # the moment itself is what is tried
        killed[victim] = demo.pids[victim]
        os.kill(killed[victim], signal.SIGKILL)

    row = rows.verdict(attempt, seconds=60)
    told = f"seed {SEED}, {moments}, {rows.kinds(attempt)}"
    assert row["state"] == "succeeded", told
    assert len(accepted(node)) == 1, told
    assert rows.kinds(attempt)[0] == "started", told
    assert rows.kinds(attempt)[-1] == "succeeded", told
    for victim, pid in killed.items():
        again = wait_until(lambda victim=victim, pid=pid: (new := demo.pids[victim]) != pid and new, seconds=20)
        assert is_running(again), told
    wait_until(demo.answers, seconds=20)


def test_nothing_was_left_behind(rows):
    """Secrets are gone with the verdicts, locks are free, and every attempt's events are numbered without a gap."""
    assert rows.read("SELECT * FROM attempts_sealedcredentials") == []
    assert rows.read("SELECT * FROM attempts_clusterlock") == []
    gaps = rows.read("SELECT attempt_id FROM attempts_event GROUP BY attempt_id HAVING MAX(seq) <> COUNT(*)")
    assert gaps == []


def test_the_page_shows_the_whole_story_afterwards(client, rows):
    for row in rows.read("SELECT id FROM attempts_attempt"):
        text = client.get(f"/attempts/{UUID(row['id'])}/")
        assert "Your cluster is up" in text


def test_no_request_carried_the_sign_in_before_the_node_asked_for_it(demo):
    for node in demo.nodes:
        lines = [json.loads(line) for line in Path(node["journal"]).read_text().splitlines()]
        with_it = [line["at"] for line in lines if line.get("authorization")]
        asked = [line["at"] for line in lines if line.get("status") == 401]
        assert asked
        assert min(with_it) > min(asked)
