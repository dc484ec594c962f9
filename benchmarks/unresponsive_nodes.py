"""How late are ticks of healthy nodes while other nodes accept connections and never answer?

Uses the real worker and supervisor on SQLite with 50 attempts. Exits with 1 when the limit is exceeded.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.table import Row, print_table
from tests.redis_servers import running_redis

CLONE = Path(__file__).resolve().parents[1]
HEALTHY, HANGING, MORE = 30, 20, 80
SECONDS = 30
WARM_UP = 15  # until the first timeout, silent nodes are not known to be silent
LIMIT = 1.0
OURS = ("-P", "threads", "-c", "32")
PEER = ("-P", "prefork", "-c", "4")

SEED = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from setup_wizard.attempts.models import Attempt

maria, now = User.objects.create_user("maria"), timezone.now()
for port in {ports}:
    attempt = Attempt.objects.create(
        requested_by=maria, action="create_cluster", host="127.0.0.1", address=f"127.0.0.1:{{port}}", request={{}},
        fingerprint="{fingerprint}", state="in_progress", submits=1, submit_intent_at=now, started_at=now,
        deadline_at=now + timedelta(hours=1), baseline_state="idle", last_seq=0,
    )
    print(attempt.pk, port)
"""


def measure(healthy=HEALTHY, hanging=HANGING, pool=OURS, seconds=SECONDS):
    """Return how late each tick of a healthy node was, in seconds, including those still waiting at the end."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"sqlite:///{place / 'rows.sqlite3'}",
            "REDIS_URL": stack.enter_context(running_redis(place)),
            "LATENESS_FILE": str(place / "lateness"),
        }
        servers = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.node_servers", str(healthy), str(hanging)],
            cwd=CLONE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(end, servers)
        nodes = json.loads(servers.stdout.readline())
        manage("migrate", "-v0", environment=environment)
        (place / "lateness").touch()
        celery = ["-m", "celery", "--quiet", "-A", "benchmarks.timed", "worker", *pool, "--without-gossip"]
        for arguments in ([*celery, "--without-mingle"], ["manage.py", "supervise"]):
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=CLONE, env=environment, stderr=subprocess.DEVNULL
            )
            stack.callback(end, process)
        seed = SEED.format(ports=[*nodes["answering"], *nodes["hanging"]], fingerprint=nodes["fingerprint"])
        printed = manage("shell", "-v0", "-c", seed, environment=environment).splitlines()
        begun = time.time() + WARM_UP
        attempts = {words[0] for words in map(str.split, printed) if int(words[1]) in nodes["answering"]}
        time.sleep(WARM_UP + seconds)
        ticks = [line.split() for line in (place / "lateness").read_text().splitlines()]
        taken = [float(late) for attempt, at, late in ticks if attempt in attempts and float(at) > begun]
        last = {attempt: float(at) for attempt, at, _ in ticks if attempt in attempts}
        waiting = [time.time() - last.get(attempt, begun) for attempt in attempts]
        return taken + [waited for waited in waiting if waited > 2]  # count what still waits


def manage(*arguments, environment):
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=CLONE, env=environment, check=True, text=True, timeout=60, stdout=subprocess.PIPE
    ).stdout


def end(process):
    process.kill()
    process.wait()


def p95(lateness):
    return quantiles(lateness, n=20)[-1] if len(lateness) > 1 else float("inf")


def main():
    load = os.getloadavg()[0]
    print(f"{HEALTHY} healthy nodes and {HANGING} that never answer, {SECONDS} s …", flush=True)
    ours = measure()
    print(f"{MORE} that never answer …", flush=True)
    crowded = measure(hanging=MORE)
    print(f"{HANGING} that never answer, with four processes instead of threads …", flush=True)
    peer = measure(pool=PEER)
    prefork = "prefork, 4 processes"
    rows = [
        Row("delay of healthy ticks, median", median(ours), None, "s", median(peer), prefork),
        Row("delay of healthy ticks, p95", p95(ours), LIMIT, "s", p95(peer), prefork),
        Row(f"with {MORE} that never answer, p95", p95(crowded), LIMIT, "s", None, prefork),
    ]
    counted = f"{len(ours)} and {len(crowded)} ticks, {len(peer)} of the peer's."
    return print_table(rows, counted, load=load)


if __name__ == "__main__":
    sys.exit(main())
