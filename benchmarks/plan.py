"""How fast is a plan of 50 nodes, and how much longer than its nodes does a run take?

Uses a whole demo, with reference nodes beside its own. `--whole` lets each of nine nodes take 16 s, which takes some
minutes; without it they are faster, and the time between them is measured. Exits with 1 when a limit is exceeded.
"""

import argparse
import os
import re
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import Row, print_table
from tests.demos import Demo
from tests.faults.conftest import PASSWORD, Client
from tests.journeys.plans.conftest import fingerprints_of
from tests.reference_node.running import start_node
from tests.wizard.conftest import bootstrap, wait_until_member

ANSWERING, HANGING, IN_RUN = 45, 5, 9
ROUNDS = 5
PAGE, PROBING = 0.1, 6.0
NODE_SECONDS, SLEEP = 16.0, 30.0
BETWEEN = NODE_SECONDS * 0.1
"""The most that may pass between two nodes: a run of nodes of 16 s takes at most 1.1 times their own time."""
PACE, WHOLE_PACE = 0.5, 7.8


@contextmanager
def prepared():
    with TemporaryDirectory(prefix="bench-") as place:
        demo = Demo(Path(place) / "demo").start()
        try:
            yield Path(place), demo, Client(demo)
        finally:
            demo.clean_up()


def measure_pages(place, demo, client):
    """Give the seconds of each page with 50 nodes, and of asking them, of which five never answer."""
    with ExitStack() as stack:
        for number, count, fault in ((1, ANSWERING, ()), (2, HANGING, ("--fault", "hang=tls"))):
            options = ("--count", str(count), *fault)
            bind = f"127.0.{number}.1"
            stack.enter_context(start_node(place / str(number), bind=bind, port=demo.node_port, options=options))
        typed = f"127.0.1.1-{ANSWERING}:{demo.node_port} 127.0.2.1-{HANGING}:{demo.node_port}"
        begun = time.monotonic()
        client.post("/plans/new/", addresses=typed)
        nodes = client.path
        pages = {"nodes, unanswered": timed(client, nodes)}
        while (page := client.get(nodes)).count("Checking…"):
            time.sleep(0.05)
        probing = time.monotonic() - begun
        pages["nodes"] = timed(client, nodes)
        gone = re.findall(r'value="remove:(127\.0\.2\.[^"]*)"', page)
        for address in gone:
            page = client.submit(page, nodes, do=f"remove:{address}")
        review = describe(client, page, place / "1", name="redis-50.example.com")
        pages["cluster"] = timed(client, review.replace("review", "cluster"))
        pages["review"] = timed(client, review)
    return pages, probing


def describe(client, page, data, *, name):
    """Fill in a plan from its page of nodes; give the path of the review."""
    path = client.path
    fingerprints = fingerprints_of(each.parent for each in data.rglob("certificate.pem"))
    page = client.submit(page, path, do="next", pasted=fingerprints)
    addresses = dict(re.findall(r'name="(addr-\d+)".*?<option value="([^"]*)" selected', page, re.DOTALL))
    credentials = {"username": "admin@example.com", "password": PASSWORD, "password_again": PASSWORD}
    client.submit(page, client.path, name=name, accept_new_certificate="on", **credentials, **addresses)
    return client.path


def timed(client, path):
    took = []
    for _ in range(ROUNDS):
        begun = time.monotonic()
        client.get(path)
        took.append(time.monotonic() - begun)
    return median(took)


def measure_run(place, demo, client, pace):
    """Give the seconds of a run of nine nodes, and those of the nodes alone."""
    data = place / "run"
    options = ("--count", str(IN_RUN))
    with start_node(data, bind="127.0.3.1", port=demo.node_port, pace=pace, options=options):
        client.post("/plans/new/", addresses=f"127.0.3.1-{IN_RUN}:{demo.node_port}")
        nodes = client.path
        while "Checking…" in (page := client.get(nodes)):
            time.sleep(0.05)
        review = describe(client, page, data, name="redis-9.example.com")
        while "Checks are running." in (page := client.get(review)):
            time.sleep(0.05)
        begun = time.monotonic()
        client.submit(page, review, accept_permanent="on")
        run = client.path
        while f"{IN_RUN} of {IN_RUN} nodes are active" not in (page := client.get(run)):
            if "Action needed" in page or "Not started" in page:
                raise SystemExit(re.sub(r"<[^>]*>|\s+", " ", page))
            time.sleep(0.1)
        took = time.monotonic() - begun
    return took, own_seconds(place, demo, pace)


def own_seconds(place, demo, pace):
    """What nine nodes take alone: one creates a cluster, and another joins it, each asked again and again."""
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(start_node(place / bind, bind=bind, port=demo.node_port, pace=pace))
            for bind in ("127.0.4.1", "127.0.4.2")
        )
        begun = time.monotonic()
        bootstrap(first, "create_cluster", {"cluster": {"name": "redis-own.example.com"}})
        wait_until_member(first, seconds=60)
        created = time.monotonic() - begun
        begun = time.monotonic()
        members = {"cluster": {"nodes": [first.bind]}, "cnm_https_port": first.port}
        bootstrap(second, "join_cluster", members)
        wait_until_member(second, seconds=60)
        return created + (IN_RUN - 1) * (time.monotonic() - begun)


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan")
    parser.add_argument("--whole", action="store_true", help="let each node take 16 s")
    whole = parser.parse_args().whole
    load = os.getloadavg()[0]
    with prepared() as (place, demo, client):
        print(f"A plan of {ANSWERING + HANGING} nodes, of which {HANGING} never answer …", flush=True)
        pages, probing = measure_pages(place, demo, client)
        print(f"A run of {IN_RUN} nodes …", flush=True)
        took, own = measure_run(place, demo, client, WHOLE_PACE if whole else PACE)
    sleeps = f"a shell loop with sleep {SLEEP:g}"
    rows = [Row(f"page: {name}", seconds * 1000, PAGE * 1000, "ms", None, "") for name, seconds in pages.items()]
    rows += [Row("asking all nodes", probing, PROBING, "s", None, "")]
    if whole:
        rows += [Row("run of nine nodes", took, own * 1.1, "s", IN_RUN * SLEEP, sleeps)]
    between = (took - own) / IN_RUN
    rows += [Row("lost for each node of 16 s", between, BETWEEN, "s", SLEEP - NODE_SECONDS, sleeps)]
    return print_table(rows, f"Nine nodes alone take {own:.1f} s, the run took {took:.1f} s.", load=load)


if __name__ == "__main__":
    sys.exit(main())
