"""Web, supervisor and worker use one Celery application."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import forks

CLONE = Path(__file__).resolve().parents[2]
ASK = "from setup_wizard.worker.tasks import tick; print(tick.app.main, tick.app.conf.broker_url)"
LEVELS = """
from logging import getLevelName, getLogger
for name in ("celery.worker.strategy", "celery.app.trace", "setup_wizard.attempts.engine.lease"):
    print(getLevelName(getLogger(name).getEffectiveLevel()))
"""


def run_in_shell(code, **environment):
    """Run code in a process of its own: here, another test may have imported the application. Gives what it prints."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | environment
    return forks.run(["manage.py", "shell", "--verbosity", "0", "--command", code], cwd=CLONE, env=environment).split()


def test_tasks_go_to_the_broker_of_the_settings():
    printed = run_in_shell(ASK, REDIS_URL="unix:///run/valkey.sock?db=3")

    assert printed == ["setup_wizard", "redis+socket:///run/valkey.sock?virtual_host=3"]


@pytest.mark.parametrize(("level", "lowest"), [("DEBUG", "DEBUG"), ("INFO", "WARNING"), ("ERROR", "ERROR")])
def test_tasks_are_logged_at_level_debug_only(level, lowest):
    assert run_in_shell(LEVELS, LOG_LEVEL=level) == [lowest, lowest, level]


@pytest.mark.parametrize(
    "command",
    [
        ["setup_wizard.project.web", "--port", "0"],
        ["celery", "-A", "setup_wizard.project", "worker", "-P", "solo", "--without-gossip", "--without-mingle"],
    ],
    ids=["web", "worker"],
)
def test_web_and_worker_refuse_a_key_file_that_others_can_read(command, tmp_path):
    key = tmp_path / "keys"
    key.write_text(base64.b64encode(b"k" * 32).decode())
    key.chmod(0o644)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "setup_wizard.project.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": "s" * 50,
        "SETUP_WIZARD_CREDENTIAL_KEYS_FILE": str(key),
        "REDIS_URL": "unix:///nowhere",
    }
    environment.pop("SETUP_WIZARD_CREDENTIAL_KEYS", None)

    answer = subprocess.run(
        [sys.executable, "-m", *command],
        check=False,
        cwd=CLONE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert answer.returncode != 0
    assert "Other users can read" in answer.stderr + answer.stdout
