"""How long does the review page take while checks run, and the checks themselves, with nodes that answer or hang?

A join is reviewed whose node and member are real reference nodes; they hang while their processes are stopped. Exits
with 1 when a limit is exceeded.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import Row, print_table
from tests.serving import make_tables, on_tables

ROUNDS = 5
PAGE, ANSWERING, HANGING = 0.1, 1.5, 6.0
PEER = 4 * 5.0  # a GET of node and member, a reading of the cluster, the node's own check


def main():
    load = os.getloadavg()[0]
    print(f"{ROUNDS} reviews of a join with nodes that answer, and with nodes that hang …", flush=True)
    with TemporaryDirectory(prefix="bench-") as place:
        environment = on_tables(make_tables(Path(place) / "tables.sqlite3"), Path(place))
        # another process: Django reads the address of its database once
        command = [sys.executable, "-m", "benchmarks.reviews", place]
        measured = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    answering, hanging = json.loads(measured)
    pages = [page for page, _ in [*answering, *hanging] if page is not None]
    each = "one timeout after the other"
    return print_table(
        [
            Row("review, checks pending, median", median(pages) * 1000, None, "ms", None, ""),
            Row("review, checks pending, slowest", max(pages) * 1000, PAGE * 1000, "ms", None, ""),
            Row("all checks, nodes answer", max(checks for _, checks in answering), ANSWERING, "s", None, ""),
            Row("all checks, every node hangs", max(checks for _, checks in hanging), HANGING, "s", PEER, each),
        ],
        load=load,
    )


if __name__ == "__main__":
    sys.exit(main())
