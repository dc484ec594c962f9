"""Break one thing at a time in a copy of the clone: `python -m tests.faults.mutants [words of a name]`."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from uuid import uuid4

from tests.faults.mutants.breakages import BREAKAGES, Moved

CLONE = Path(__file__).resolve().parents[3]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache")
RED, GREEN = 1, 0
SECONDS = 600
SIDE_BY_SIDE = 3


@dataclass
class Verdict:
    name: str
    said: str
    is_caught: bool
    seconds: float


def run(clone, tests):
    """Give pytest's exit code and what it said; None when it came to no end. It takes its processes with it."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CHAOS"}}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--no-header", *tests]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = subprocess.Popen(command, cwd=clone, env=environment, start_new_session=True, **pipes)
    try:
        said, _ = running.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"no end within {SECONDS} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    return running.returncode, said


def copy(place, name):
    clone = place / re.sub(r"\W+", "-", name)
    shutil.copytree(CLONE, clone, ignore=LEFT_OUT)
    return clone


class Unbroken:
    """Which tests are green without any breakage; each is asked once."""

    def __init__(self, place):
        self._place = place
        self._asking, self._one_at_a_time, self._failures = Lock(), {}, {}

    def failure(self, tests):
        """What a test said that is red already, "" when all are green."""
        with self._asking:
            mine = self._one_at_a_time.setdefault(tests, Lock())
        with mine:
            if tests not in self._failures:
                clone = copy(self._place, f"unbroken {uuid4().hex[:8]}")
                code, said = run(clone, tests)
                shutil.rmtree(clone, ignore_errors=True)
                self._failures[tests] = "" if code == GREEN else said[-1500:] or f"exit code {code}"
            return self._failures[tests]


def try_breakage(place, unbroken, breakage):
    begun = time.monotonic()
    clone = copy(place, breakage.name)
    try:
        if failure := unbroken.failure(breakage.tests):
            return Verdict(breakage.name, f"its tests are red without it:\n{failure}", is_caught=False, seconds=0)
        for edit in breakage.edits:
            edit.apply(clone)
        code, said = run(clone, breakage.tests)
    except Moved as moved:
        code, said = None, f"MOVED: {moved}"
    finally:
        shutil.rmtree(clone, ignore_errors=True)
    failed = re.findall(r"^FAILED \S+::(\S+)", said, re.MULTILINE)
    is_caught = code == RED and bool(failed)
    told = failed[0] if is_caught else "STAYED GREEN" if code == GREEN else said[-1500:]
    return Verdict(breakage.name, told, is_caught, time.monotonic() - begun)


def main(words):
    chosen = [breakage for breakage in BREAKAGES if all(word in breakage.name for word in words)]
    if not chosen:
        print(f"No breakage has {' '.join(words)} in its name.", file=sys.stderr)
        return 2
    outcomes = []
    # a few side by side: what takes long is waiting
    with tempfile.TemporaryDirectory(prefix="setup-wizard-mutants-") as place, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        unbroken = Unbroken(Path(place))
        for outcome in pool.map(partial(try_breakage, Path(place), unbroken), chosen):
            outcomes.append(outcome)
            print(f"{outcome.name}: {'caught' if outcome.is_caught else 'NOT CAUGHT'}", flush=True)
    print("\n\nbroken on purpose                               red  s    the test that turned red")
    for outcome in outcomes:
        mark = "yes" if outcome.is_caught else "NO "
        print(f"{outcome.name:<47} {mark} {outcome.seconds:4.0f}  {outcome.said}")
    missed = [outcome for outcome in outcomes if not outcome.is_caught]
    print(f"\n{len(outcomes) - len(missed)} of {len(outcomes)} were caught.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
