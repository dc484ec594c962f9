"""The counter that no clock moves, and what it can say nothing of."""

import os
import subprocess
import sys
from datetime import timedelta

from setup_wizard.attempts.engine.clock import Mark


def test_two_marks_of_one_machine_tell_how_much_time_passed():
    assert Mark("one", 12.5).since(Mark("one", 10.0)) == timedelta(seconds=2.5)


def test_marks_of_two_machines_or_of_none_tell_nothing():
    assert Mark("one", 12.5).since(Mark("another", 10.0)) is None
    assert Mark("", 12.5).since(Mark("", 10.0)) is None


def test_all_processes_of_a_machine_share_its_counter():
    before = Mark.now()
    code = "from setup_wizard.attempts.engine.clock import Mark as M; m = M.now(); print(f'{m.machine}/{m.seconds}')"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    machine, _, seconds = said.partition("/")

    assert machine == before.machine
    assert before.seconds < float(seconds) < Mark.now().seconds
