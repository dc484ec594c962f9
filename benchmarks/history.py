"""Does every page over past attempts answer at once, with a million of them?

Fills a PostgreSQL server of its own with a million attempts and three million events, and a SQLite file with a tenth of
that, and measures the server's time of every page, filter, search and order; the peer is Django's own administration on
the same rows. `--attempts 20000` is a small try, and `--only admin` measures the pages with this word in their names.
`--busy` counts only the time on a processor, for a machine that does other work meanwhile (only Linux tells it). Exits
with 1 when a limit is exceeded.
"""

import argparse
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks.table import Row, print_table
from tests.postgres import place_for_all, serving
from tests.serving import migrate

ATTEMPTS, SHARE_ON_SQLITE = 1_000_000, 10
LIMIT, SEEDING = 100.0, 360.0
ROUNDS = 5


@contextmanager
def postgresql():
    with serving(place_for_all()) as server:
        yield server.url


@contextmanager
def sqlite():
    with TemporaryDirectory(prefix="bench-") as place:
        yield f"sqlite:///{Path(place) / 'rows.sqlite3'}"


def measure(url, count, options):
    """Fill the database at this URL and time its pages; gives the rows of a table."""
    migrate(url)
    environment = os.environ | {"DATABASE_URL": url}
    begun = monotonic()
    subprocess.run([sys.executable, "-m", "benchmarks.history_rows", str(count)], env=environment, check=True)
    seeding = monotonic() - begun
    command = [sys.executable, "-m", "benchmarks.history_pages", str(options.rounds), options.only]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    rows = [Row("filling the tables", seeding, SEEDING, "s", None, "")]
    for each in json.loads(done.stdout):
        ours, peer = each["busy" if options.busy else "passed"]
        rows.append(Row(each["name"], ours, LIMIT, "ms", peer, "the stock administration" if peer else ""))
    return rows


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history")
    parser.add_argument("--attempts", type=int, default=ATTEMPTS, help="on PostgreSQL; SQLite gets a tenth")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--database", choices=("both", "postgresql", "sqlite"), default="both")
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--busy", action="store_true", help="count only the time on a processor")
    options = parser.parse_args()
    missed = 0
    for prepared, share in ((postgresql, 1), (sqlite, SHARE_ON_SQLITE)):
        if options.database not in {"both", prepared.__name__}:
            continue
        load, count = os.getloadavg()[0], options.attempts // share
        print(f"{count:,} attempts on {prepared.__name__} …", flush=True)
        with prepared() as url:
            rows = measure(url, count, options)
        what = "time on a processor" if options.busy else "time that passed"
        missed |= print_table(rows, f"The median {what} of {options.rounds} rounds, {count:,} attempts.", load=load)
    return missed


if __name__ == "__main__":
    sys.exit(main())
