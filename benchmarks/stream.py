"""Measure what the live page promises: part of `make bench`. Loopback only; it takes about five minutes.

Exits with 1 when a limit is exceeded.
"""

import os
import resource
import sys

from benchmarks import stream_viewers, time_to_display
from benchmarks.table import Row, print_table

VIEWERS = 1000
PEERS = 200  # of the usual way: more of them would hold the machine, not the measurement


def main():
    load = os.getloadavg()[0]
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard) if hard > 0 else 8192, hard))
    print(f"{VIEWERS} viewers on one web process …", flush=True)
    ours = stream_viewers.measure(VIEWERS)
    print(f"{VIEWERS} viewers of a bare stream …", flush=True)
    bare = stream_viewers.measure(VIEWERS, "benchmarks.bare_stream:application")
    print(f"{PEERS} viewers, each stream with queries of its own …", flush=True)
    peer = stream_viewers.measure(PEERS, "benchmarks.peer:application")
    print(f"{time_to_display.ATTEMPTS} clusters created before a browser …", flush=True)
    seen = time_to_display.measure()
    asking, own = "asking every 1 s", f"own queries, {PEERS} viewers"
    rows = [
        Row("node to browser, median", seen.median(seen.streamed), 0.5, "s", seen.median(seen.polled), asking),
        Row("node to browser, p95", seen.p95(seen.streamed), 1.0, "s", seen.p95(seen.polled), asking),
        Row(f"news to {VIEWERS} viewers, p95", ours.p95 * 1000, 100, "ms", peer.p95 * 1000, own),
        Row("the same, times the bare stream", ours.p95 / bare.p95, 1.6, "", 1.0, "no Django, no limits"),
        Row("memory for each viewer", ours.kilobytes, 100, "KB", peer.kilobytes, own),
        Row("database connections, at most", ours.connections, 10, "", peer.connections, own),
        Row("threads", ours.threads, None, "", peer.threads, own),
        Row(f"{VIEWERS} viewers let in", ours.joined, None, "s", peer.joined, own),
    ]
    told = f"{len(seen.streamed)} changes of state; {len(ours.told)} messages, {len(peer.told)} of the peer's."
    return print_table(rows, told, load=load)


if __name__ == "__main__":
    sys.exit(main())
