"""A thousand reference nodes in one process, compared with one process for each node. Loopback only.

Exits with 1 when a limit is exceeded.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.table import Row, print_table
from tests.project.processes import free_port
from tests.reference_node.conftest import Caller
from tests.reference_node.running import node_command

NODES = 1000
PEERS = 20  # one process each; a thousand would not fit on this machine
STARTS = 5
IDLE_SECONDS = 5
TICKS = os.sysconf("SC_CLK_TCK")


def main():
    load = os.getloadavg()[0]
    print(f"{STARTS} starts of one node …", flush=True)
    first = median(seconds_to_an_answer() for _ in range(STARTS))
    python = median(seconds_of_a_python() for _ in range(STARTS))
    print(f"{NODES} nodes in one process …", flush=True)
    ready, memory, idle, asked = measure_together()
    print(f"{PEERS} nodes, one process each …", flush=True)
    peer_ready, peer_memory, peer_idle, peer_asked = measure_apart()
    apart = f"one process each, measured with {PEERS}"
    rows = [
        Row("one node, start to answering", first, 1.0, "s", python, "an empty Python script"),
        Row(f"{NODES} nodes, start to answering", ready, None, "s", peer_ready * NODES, apart),
        Row(f"memory of {NODES} idle nodes", memory, 1000, "MB", peer_memory * NODES, apart),
        Row(f"CPU of {NODES} idle nodes", idle, 10, "%", peer_idle * NODES, apart),
        Row("one GET", asked, None, "ms", peer_asked, "one of the separate ones"),
    ]
    return print_table(rows, load=load)


def seconds_to_an_answer():
    """Time from the command to the first answer."""
    with TemporaryDirectory() as place:
        port = free_port()
        begun = time.monotonic()
        with running(node_command(Path(place) / "node", "127.0.0.1", port, 3, ())):
            Caller(f"127.0.0.1:{port}").get()
            return time.monotonic() - begun


def seconds_of_a_python():
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return time.monotonic() - begun


def measure_together():
    """Return seconds until all answer, megabytes, percent of a core, milliseconds for one GET."""
    with TemporaryDirectory() as place:
        command = node_command(Path(place), "127.0.0.2", free_port(), 3, ())
        begun = time.monotonic()
        with running([*command, "--count", str(NODES)]) as process:
            ready = time.monotonic() - begun
            nodes = json.loads((Path(place) / "nodes.json").read_text())
            asked = median(milliseconds(node["address"]) for node in nodes[:: NODES // 50])
            return ready, megabytes(process.pid), percent_of_a_core([process.pid]), asked


def measure_apart():
    """Return the same for one node, with each node in its own process."""
    with TemporaryDirectory() as place:
        port, processes = free_port(), []
        try:
            begun = time.monotonic()
            for number in range(PEERS):
                command = node_command(Path(place) / str(number), f"127.0.0.{number + 2}", port, 3, ())
                processes.append(start(command))
            ready = (time.monotonic() - begun) / PEERS
            asked = median(milliseconds(f"127.0.0.{number + 2}:{port}") for number in range(PEERS))
            pids = [process.pid for process in processes]
            return ready, sum(map(megabytes, pids)) / PEERS, percent_of_a_core(pids) / PEERS, asked
        finally:
            for process in processes:
                stop(process)


@contextmanager
def running(command):
    process = start(command)
    try:
        yield process
    finally:
        stop(process)


def start(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if "listening on" not in process.stdout.readline():
        raise SystemExit("a node did not start")
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    process.stdout.close()


def milliseconds(address):
    caller = Caller(address)
    begun = time.monotonic()
    caller.get().raise_for_status()
    return (time.monotonic() - begun) * 1000


def megabytes(pid):
    """Proportional memory (PSS) of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def percent_of_a_core(pids):
    before = ticks(pids)
    time.sleep(IDLE_SECONDS)
    return (ticks(pids) - before) / TICKS / IDLE_SECONDS * 100


def ticks(pids):
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields)


if __name__ == "__main__":
    sys.exit(main())
