"""A tick that hangs ends its worker, in a process of its own, since threads cannot be ended."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from setup_wizard.worker import watchdog

CLONE = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("hanging.py")


@pytest.fixture
def start(tmp_path):
    """A worker over a queue in its own memory, whose only task takes so many seconds."""
    started = []

    def start(seconds):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "PYTHONPATH": str(CLONE),
            "REDIS_URL": "memory://",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'worker.sqlite3'}",
        }
        started.append(
            subprocess.Popen(
                [sys.executable, SCRIPT, str(seconds)],
                cwd=CLONE,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_worker_in_which_a_tick_hangs_says_where_and_ends(start):
    worker = start(60)

    _, said = worker.communicate(timeout=30)

    assert worker.returncode == watchdog.EXIT_CODE
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (last,) = [line for line in lines if line["level"] == "critical"]
    assert last["event"] == "hang hangs for more than 1 s; this worker ends"
    assert last["attempt"] == "5b0e8a4e-0000-4000-8000-000000000005"
    assert any("hanging.py" in place and place.endswith(" hang") for place in last["stack"])


def test_a_worker_whose_tick_ends_in_time_goes_on(start):
    worker = start(0.2)
    assert "through\n" in worker.stdout

    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(3)  # three times the limit

    worker.send_signal(signal.SIGTERM)


def test_a_worker_that_hangs_in_its_own_log_ends_too(start):
    worker = start("flood")  # nobody reads what it says: once the pipe is full, no line can be written any more

    assert worker.wait(30) == watchdog.EXIT_CODE
