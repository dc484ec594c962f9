"""The ordinary worker, which also records how late each tick starts: `celery -A benchmarks.timed worker`.

LATENESS_FILE gets a line for each tick: the attempt, the moment, and the seconds since it was due.
"""

import os
from time import time

from setup_wizard.project.celery import app  # noqa: F401 - what celery looks for here
from setup_wizard.worker import tasks

claim = tasks.engine.claim


def claim_and_note(attempt_id):
    lease = claim(attempt_id)
    if lease:
        now = time()
        line = f"{attempt_id} {now:.3f} {now - lease.attempt.next_tick_at.timestamp():.4f}\n"
        os.write(notes, line.encode())
    return lease


notes = os.open(os.environ["LATENESS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
tasks.engine.claim = claim_and_note
