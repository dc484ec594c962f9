"""100 sign-ins at once, one with the right password: what they cost the web process, and how long that one waits.

The others come from different networks, so that no limit of tries stops them. Exits with 1 when a limit is exceeded.
"""

import os
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import Row, print_table
from tests.access.web_processes import add_user, at_once, environment_of, post, web_process
from tests.serving import make_tables

SIGN_INS, PEERS = 100, 20  # of the peer as many as any machine has the memory for
ROUNDS = 5
PASSWORD = "seven quiet otters"
PRODUCT = "setup_wizard.project.settings"


def measure(tables, sign_ins, settings=PRODUCT, rounds=ROUNDS):
    """Give the growth of web in MB, how long each honest one waited, and the status codes of all."""
    with TemporaryDirectory(prefix="bench-") as place:
        environment = environment_of(tables, Path(place), "", SETUP_WIZARD_TRUSTED_PROXIES="127.0.0.1")
        environment["DJANGO_SETTINGS_MODULE"] = settings
        add_user(environment, "maria", PASSWORD)
        waits, statuses = [], Counter()
        with web_process(environment) as web:
            sign_in(web, "maria", PASSWORD, 0, 0)  # loads what only the first one loads
            before = memory_of(web, "VmRSS")
            for number in range(1, rounds + 1):
                calls = [
                    partial(sign_in, web, "maria" if each % 2 else f"name-{each}", "wrong", number, each)
                    for each in range(sign_ins - 1)
                ]
                calls.insert(sign_ins // 2, partial(sign_in, web, "maria", PASSWORD, number, sign_ins))
                answers = at_once(calls)
                waits += [seconds for status, seconds in answers if status == 302]
                statuses.update(status for status, _ in answers)
            return memory_of(web, "VmHWM") - before, waits, statuses


def sign_in(web, name, password, number, each):
    begun = time.monotonic()
    fields = {"username": name, "password": password}
    status = post(web, "/sign-in/", fields, forwarded_for=f"10.{number}.0.{each}")
    return status, time.monotonic() - begun


def memory_of(web, what):
    """Megabytes: `VmRSS` held now, `VmHWM` held at most."""
    return int(Path(f"/proc/{web.pid}/status").read_text().partition(f"{what}:")[2].split()[0]) / 1024


def main():
    load = os.getloadavg()[0]
    with TemporaryDirectory(prefix="bench-") as place:
        tables = make_tables(Path(place) / "tables.sqlite3")
        print(f"{ROUNDS} times {SIGN_INS} sign-ins at once …", flush=True)
        growth, waits, statuses = measure(tables, SIGN_INS)
        print(f"{PEERS} sign-ins at once, with Django's own hasher …", flush=True)
        peer_growth, peer_waits, _ = measure(tables, PEERS, "benchmarks.unlimited_hashing", rounds=1)
    own, never = f"Django's hasher, {PEERS} sign-ins", float("inf")
    slowest = max(waits) if len(waits) == ROUNDS else never  # a refused sign-in counts as never
    theirs = max(peer_waits, default=never)
    rows = [
        Row(f"memory for {SIGN_INS} sign-ins", growth, 200, "MB", peer_growth, own),
        Row("the right one waits, median", median(waits or [never]), None, "s", theirs, own),
        Row("the right one waits, slowest", slowest, 3, "s", theirs, own),
    ]
    return print_table(rows, f"Status codes: {dict(sorted(statuses.items()))}.", load=load)


if __name__ == "__main__":
    sys.exit(main())
