"""A worker of its own, whose limit for a task is one second, and one task that outlasts it or does not.

python tests/worker/hanging.py SECONDS, or `flood`, to hang in a log that nobody reads
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
    timing.WORKER_LIMIT = 1.0  # not before: a worker does not start with limits that contradict each other
    while sys.argv[1] == "flood":
        logging.getLogger("flood").error("x" * 4096)
    time.sleep(float(sys.argv[1]))
    print("through", flush=True)


hang.delay("5b0e8a4e-0000-4000-8000-000000000005")
app.Worker(pool="threads", concurrency=2, settle_time=True, without_gossip=True, without_mingle=True).start()
