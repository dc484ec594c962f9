"""Marks of the monotonic clock."""

import os
import subprocess
import sys
from datetime import timedelta

from setup_wizard.attempts.engine.clock import Mark


def test_marks_of_one_machine_measure_time():
    assert Mark("one", 12.5).since(Mark("one", 10.0)) == timedelta(seconds=2.5)


def test_marks_of_two_machines_measure_nothing():
    assert Mark("one", 12.5).since(Mark("another", 10.0)) is None
    assert Mark("", 12.5).since(Mark("", 10.0)) is None


def test_processes_of_a_machine_share_its_monotonic_clock():
    before = Mark.now()
    code = "from setup_wizard.attempts.engine.clock import Mark as M; m = M.now(); print(f'{m.machine}/{m.seconds}')"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    machine, _, seconds = said.partition("/")

    assert machine == before.machine
    assert before.seconds < float(seconds) < Mark.now().seconds
