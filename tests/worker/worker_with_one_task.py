"""A worker with one task and a limit of one second for it.

python tests/worker/worker_with_one_task.py SECONDS, or `flood` to hang in a log that nobody reads
"""

import logging
import sys
import time

import django

django.setup()

from setup_wizard.attempts import timing  # noqa: E402 - Django comes first
from setup_wizard.project.celery import app  # noqa: E402


@app.task(name="hang")
def hang(attempt_id):
    timing.WORKER_LIMIT = 1.0  # not earlier: a worker refuses to start with contradicting durations
    while sys.argv[1] == "flood":
        logging.getLogger("flood").error("x" * 4096)
    time.sleep(float(sys.argv[1]))
    print("done", flush=True)


hang.delay("5b0e8a4e-0000-4000-8000-000000000005")
app.Worker(pool="threads", concurrency=2, quiet=True, without_gossip=True, without_mingle=True).start()
