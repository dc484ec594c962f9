"""Break one thing at a time in a copy of the clone: `python -m tests.faults.mutants [words of a name]`."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.mutants.breakages import BREAKAGES, Moved

CLONE = Path(__file__).resolve().parents[3]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache")
RED, GREEN = 1, 0
SECONDS = 300
SIDE_BY_SIDE = 3


@dataclass
class Verdict:
    """What became of one breakage."""

    name: str
    said: str
    is_caught: bool
    seconds: float


def run(clone, tests):
    """Give pytest's exit code and what it said."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CHAOS"}}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--no-header", *tests]
    done = subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return done.returncode, done.stdout + done.stderr


def copy(place, name):
    clone = place / re.sub(r"\W+", "-", name)
    shutil.copytree(CLONE, clone, ignore=LEFT_OUT)
    return clone


def try_breakage(place, breakage):
    begun = time.monotonic()
    clone = copy(place, breakage.name)
    try:
        code, said = run(clone, breakage.tests)
        if code != GREEN:
            return Verdict(
                breakage.name, f"its tests are not green without it:\n{said[-1500:]}", is_caught=False, seconds=0
            )
        for edit in breakage.edits:
            edit.apply(clone)
        code, said = run(clone, breakage.tests)
    except Moved as moved:
        code, said = None, f"MOVED: {moved}"
    except subprocess.TimeoutExpired:
        code, said = None, f"no end within {SECONDS} s"
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
    verdicts = []
    # a few side by side: what takes long is waiting
    with tempfile.TemporaryDirectory(prefix="setup-wizard-mutants-") as place, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for verdict in pool.map(lambda breakage: try_breakage(Path(place), breakage), chosen):
            verdicts.append(verdict)
            print(f"{verdict.name}: {'caught' if verdict.is_caught else 'NOT CAUGHT'}", flush=True)
    print("\n\nbroken on purpose                               red  s    the test that turned red")
    for verdict in verdicts:
        mark = "yes" if verdict.is_caught else "NO "
        print(f"{verdict.name:<47} {mark} {verdict.seconds:4.0f}  {verdict.said}")
    missed = [verdict for verdict in verdicts if not verdict.is_caught]
    print(f"\n{len(verdicts) - len(missed)} of {len(verdicts)} were caught.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
