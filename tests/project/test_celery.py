"""Whoever rings and whoever answers use one Celery application."""

import os
import subprocess
import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
ASK = "from setup_wizard.attempts.tasks import tick; print(tick.app.main, tick.app.conf.broker_url)"


def test_the_supervisor_rings_through_the_broker_that_the_settings_name():
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "REDIS_URL": "unix:///run/valkey.sock?db=3",
    }

    # a process of its own, as the supervisor is: here, some other test may have imported the application
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", ASK]
    answer = subprocess.run(command, check=True, cwd=CLONE, env=environment, capture_output=True, text=True)

    assert answer.stdout.split() == ["setup_wizard", "redis+socket:///run/valkey.sock?virtual_host=3"]
