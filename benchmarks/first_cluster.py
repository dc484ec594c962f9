"""How many clicks, fields and seconds does it take from the link of the demo to a running cluster?

A real browser goes the whole way, with three and with nine nodes. Exits with 1 when a limit is exceeded.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from benchmarks.table import Row, print_table
from tests.chromium import launch_options
from tests.demos import Demo
from tests.journeys.plans.newcomer import Newcomer

COUNTS = (3, 9)
CLICKS, FIELDS = 10, 3
FIRST_NODE, NEXT_NODE = 7, 6
"""The clicks of the steps for a single node: to create a cluster on it, and to join another one."""
OPERATOR_SECONDS, NODE_SECONDS = 60, 20
"""The most until Start is pressed by somebody who knows what to type, and for each node after that."""


def measure(browser, count):
    """Give the clicks, the fields, and the seconds before Start and after it."""
    with TemporaryDirectory(prefix="bench-") as place:
        demo = Demo(Path(place) / "demo", nodes=count).start()
        try:
            newcomer = Newcomer(browser.new_page(), demo)
            begun = time.monotonic()
            for step in newcomer.steps():
                if step == "first":
                    started = time.monotonic()
            return newcomer.clicks, newcomer.fields, started - begun, time.monotonic() - started
        finally:
            demo.clean_up()


def main():
    load = os.getloadavg()[0]
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        for count in COUNTS:
            print(f"A cluster of {count} nodes …", flush=True)
            clicks, fields, before, after = measure(browser, count)
            single = FIRST_NODE + (count - 1) * NEXT_NODE
            rows += [
                Row(
                    f"{count} nodes: clicks", clicks, CLICKS, "", single, "the steps for a single node, again and again"
                ),
                Row(f"{count} nodes: fields, one a password", fields + 1, FIELDS + 1, "", None, "(it is generated)"),
                Row(f"{count} nodes: up to Start", before, OPERATOR_SECONDS, "s", None, ""),
                Row(f"{count} nodes: the run", after, count * NODE_SECONDS, "s", None, ""),
            ]
        browser.close()
    return print_table(rows, load=load)


if __name__ == "__main__":
    sys.exit(main())
