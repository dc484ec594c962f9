"""Arrows point down only: the contracts of pyproject.toml, held by import-linter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(place):
    return subprocess.run([LINT, "--no-cache"], cwd=place, capture_output=True, text=True, check=False)


def test_every_import_points_down():
    answer = lint(CLONE)

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("bootstrap/sizes.py", "import setup_wizard.nodes.address"),
        ("bootstrap/sizes.py", "import django.conf"),
        ("attempts/locks.py", "import setup_wizard.live.panel"),
        ("reference_node/journal.py", "import setup_wizard.bootstrap.actions"),
        ("nodes/limits.py", "import setup_wizard.reference_node.journal"),
    ],
)
def test_an_import_that_points_up_is_caught(tmp_path, file, line):
    shutil.copytree(CLONE / "setup_wizard", tmp_path / "setup_wizard")
    shutil.copy(CLONE / "pyproject.toml", tmp_path)
    with (tmp_path / "setup_wizard" / file).open("a") as module:
        module.write(f"\n{line}\n")

    answer = lint(tmp_path)

    assert answer.returncode != 0
    assert "BROKEN" in answer.stdout
