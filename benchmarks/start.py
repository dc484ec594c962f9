"""How long `make demo` takes to print its link, from a clean clone and again: part of `make bench`.

The first start needs the package registries. Exits with 1 when a limit is exceeded.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row, print_table
from tests.project.processes import free_port

CLONE = Path(__file__).resolve().parents[1]


def main():
    with tempfile.TemporaryDirectory() as place:
        clone = Path(place) / "clone"
        subprocess.run(["git", "clone", "--quiet", CLONE, clone], check=True)
        environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
        environment |= {"DEMO_PORT": str(free_port()), "DEMO_NODE_PORT": str(free_port())}
        print("make demo in a clean clone, and again …", flush=True)
        begun = time.monotonic()
        subprocess.run(
            ["make", "environment-runtime"], cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        packages = time.monotonic() - begun
        first = packages + seconds_to_the_link(clone, environment)
        second = seconds_to_the_link(clone, environment)
    alone = "the environment alone"
    return print_table(
        [
            Row("first start, environment and all", first, 90, "s", packages, alone),
            Row("every other start", second, 10, "s", packages, alone),
        ]
    )


def seconds_to_the_link(clone, environment):
    begun = time.monotonic()
    demo = subprocess.Popen(["make", "demo"], cwd=clone, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        while line := demo.stdout.readline():
            if line.startswith("Open http"):
                return time.monotonic() - begun
        raise SystemExit("make demo ended without a link")
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(30)
        demo.stdout.close()


if __name__ == "__main__":
    sys.exit(main())
