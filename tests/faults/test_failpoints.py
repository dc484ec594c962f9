"""Failpoints themselves: each is passed somewhere and tried, none is obeyed where it must not be."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

from setup_wizard import failpoints
from setup_wizard.attempts import checks
from setup_wizard.failpoints import Failpoint, Point
from tests.clusters import test_crashes
from tests.faults import test_points, test_run_choices
from tests.notifications import test_killed_workers
from tests.serving import CLONE, OWN_SETTINGS

SOURCES = [path for path in (CLONE / "setup_wizard").rglob("*.py") if path.name != "failpoints.py"]


@pytest.fixture
def arm():
    yield failpoints.arm
    failpoints.arm([])


def test_each_point_is_passed_in_one_place():
    passed = Counter(name for path in SOURCES for name in re.findall(r"\bPoint\.([A-Z_]+)", path.read_text()))

    assert passed == dict.fromkeys(Point.__members__, 1)


def test_each_point_has_a_test_that_stops_there():
    groups = ("IN_THE_WORKER", "ENQUEUING", "SWEEPS", "STARTS", "CHOICES")

    killed = {point for group in groups for point in getattr(test_points, group)}
    of_runs = {*test_crashes.POINTS, *test_run_choices.STARTS, *test_run_choices.CHOICES}
    assert killed | of_runs | set(test_killed_workers.POINTS) == set(Point)


def test_failpoints_are_off_by_default():
    for point in Point:
        failpoints.reach(point)


def test_a_failpoint_acts_at_the_pass_that_it_names_only(arm):
    arm(["send.post=raise:2"])

    failpoints.reach(Point.SEND_POST)
    failpoints.reach(Point.SEND_GET)
    with pytest.raises(failpoints.FailpointReached):
        failpoints.reach(Point.SEND_POST)
    failpoints.reach(Point.SEND_POST)


def test_a_pause_failpoint_has_its_seconds():
    assert Failpoint.parse("intent.commit=pause 0.5:3") == Failpoint(Point.INTENT_COMMIT, "pause", 3, 0.5)


@pytest.mark.parametrize("word", ["", "nowhere=kill", "connect", "connect=explode", "connect=pause", "connect=kill:x"])
def test_a_malformed_failpoint_is_refused(word):
    with pytest.raises(failpoints.InvalidFailpoint):
        Failpoint.parse(word)


def test_failpoints_outside_demo_and_debug_stop_the_start(settings):
    settings.SETUP_WIZARD_FAILPOINTS = ["connect=kill"]
    settings.SETUP_WIZARD_DEMO = settings.DEBUG = False
    assert [error.id for error in checks.failpoints_are_off()] == ["attempts.E006"]

    settings.SETUP_WIZARD_DEMO = True
    assert checks.failpoints_are_off() == []


@pytest.mark.parametrize(("demo", "code"), [("false", 0), ("true", -signal.SIGKILL)])
def test_a_process_obeys_failpoints_in_the_demo_only(demo, code):
    """Even a web process, which runs no system checks."""
    program = "import django; django.setup(); from setup_wizard.failpoints import *; reach(Point.CONNECT)"
    environment = {
        **os.environ,
        **OWN_SETTINGS,
        "DATABASE_URL": "sqlite://:memory:",
        "SETUP_WIZARD_DEMO": demo,
        "SETUP_WIZARD_FAILPOINTS": "connect=kill",
    }

    done = subprocess.run([sys.executable, "-c", program], cwd=CLONE, env=environment, timeout=60, check=False)

    assert done.returncode == code
