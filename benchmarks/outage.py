"""Start while the queue is frozen, and while it works; how soon the outage is reported, and setups continue.

Uses the real web process, worker and supervisor, on SQLite. Exits with 1 when a limit is exceeded.
"""

import json
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import Row, print_table
from tests.faults.conftest import Client
from tests.faults.deployment import Deployment, Queue
from tests.faults.outages.actions import attempt_of, press_start
from tests.project.processes import free_port, wait_until
from tests.reference_node.running import start_node
from tests.serving import migrate

STARTS = 8
AWAY = 60  # seconds; long enough for a worker's second thoughts about connecting to grow
PATIENCE = 120


def main():
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        many = ("--count", str(2 * STARTS))
        stack.enter_context(start_node(place / "nodes", bind="127.0.0.2", port=free_port(), options=many))
        nodes = (node["address"] for node in json.loads((place / "nodes" / "nodes.json").read_text()))
        queue = Queue(place)
        stack.callback(queue.kill)
        rows = f"sqlite:///{place / 'rows.sqlite3'}"
        migrate(rows)
        deployment = Deployment(place, f"unix://{queue.socket}?db=0", rows)
        stack.callback(deployment.stop)
        deployment.client = Client(deployment)
        print(f"{STARTS} starts with the queue there …", flush=True)
        usual, begun = press(deployment, nodes)
        print(f"{STARTS} starts with it frozen, for {AWAY} s …", flush=True)
        went = time.monotonic()
        queue.freeze()
        stack.callback(queue.thaw)
        without, queued = press(deployment, nodes)
        told = seconds_until(
            lambda: not deployment.is_ready and "queue" in deployment.troubles(deployment.client), went
        )
        time.sleep(max(0.0, went + AWAY - time.monotonic()))
        back = time.monotonic()
        queue.thaw()
        on = seconds_until(lambda: all(attempt_of(deployment, each)["state"] != "queued" for each in queued), back)
        green = seconds_until(lambda: deployment.is_ready, back)
        for each in begun + queued:
            wait_until(lambda each=each: attempt_of(deployment, each)["state"] == "succeeded", seconds=PATIENCE)
    there = "with the queue there"
    return print_table(
        [
            Row("Start without the queue, median", median(without), None, "s", median(usual), there),
            Row("Start without the queue, slowest", max(without), 1, "s", max(usual), there),
            Row("an open page is told", told, 30, "s", None, ""),
            Row("all begun after its return", on, 35, "s", None, ""),
            Row("ready again", green, 40, "s", None, ""),
        ],
        load=load,
    )


def press(deployment, nodes):
    """Start on so many nodes; give the seconds of each and the attempts."""
    starts = [press_start(deployment, next(nodes), f"redis-{number}.example.com") for number in range(STARTS)]
    return [seconds for _, seconds in starts], [attempt for attempt, _ in starts]


def seconds_until(condition, since):
    wait_until(condition, seconds=PATIENCE)
    return time.monotonic() - since


if __name__ == "__main__":
    sys.exit(main())
