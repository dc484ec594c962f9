"""A tick that hangs makes its worker exit, because a thread cannot be stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from setup_wizard.worker import watchdog

CLONE = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("worker_with_one_task.py")


@pytest.fixture
def start(tmp_path):
    """A worker with a queue in memory, whose only task takes this many seconds."""
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


def test_worker_exits_and_logs_where_its_tick_hangs(start):
    worker = start(60)

    _, said = worker.communicate(timeout=30)

    assert worker.returncode == watchdog.EXIT_CODE
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (last,) = [line for line in lines if line["level"] == "critical"]
    assert last["event"] == "hang has hung for more than 1 s; this worker exits"
    assert last["attempt"] == "5b0e8a4e-0000-4000-8000-000000000005"
    assert any("worker_with_one_task.py" in place and place.endswith(" hang") for place in last["stack"])


def test_worker_keeps_running_when_its_tick_ends_in_time(start):
    worker = start(0.2)
    assert "done\n" in worker.stdout

    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(3)  # three times the limit

    worker.send_signal(signal.SIGTERM)


def test_worker_exits_when_logging_itself_hangs(start):
    worker = start("flood")  # nobody reads its log, so the pipe fills up

    assert worker.wait(30) == watchdog.EXIT_CODE
