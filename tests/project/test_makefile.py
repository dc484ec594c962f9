"""How `make` finds a Python and creates the environment; here Python is a script that logs its arguments."""

import shutil
import subprocess
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "make", "rm", "mkdir", "touch", "cp", "cmp", "cat", "env")
SHIM = "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n"
# `-m venv` copies this script; `pip install` fails while there is a file `offline`
PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> {clone}/asked
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *"pip install"*) test ! -e {clone}/offline ;;
esac
"""


class Clone:
    def __init__(self, path):
        self.path = path
        self.programs = path / "programs"
        self.programs.mkdir(parents=True)
        for tool in (*TOOLS, "basename"):
            (self.programs / tool).symlink_to(shutil.which(tool))
        shutil.copy(CLONE / "Makefile", path)
        (path / "requirements").mkdir()
        self.require("django==5.2.19")

    def require(self, text):
        (self.path / "requirements" / "runtime.txt").write_text(text)

    def program(self, name, text):
        file = self.programs / name
        file.write_text(text.replace("{clone}", str(self.path)))
        file.chmod(0o755)

    def make(self, *arguments):
        (self.path / "asked").write_text("")
        environment = {"PATH": str(self.programs), "LC_ALL": "C"}
        return subprocess.run(
            ["make", *arguments], check=False, cwd=self.path, env=environment, capture_output=True, text=True
        )

    @property
    def asked(self):
        """The logged commands, without `python -c`."""
        lines = (self.path / "asked").read_text().splitlines()
        return [line.replace(" -qq --disable-pip-version-check --no-input", "") for line in lines if " -c " not in line]


MAKE = "python3.12 -m venv .venv"
INSTALL = "python -m pip install --require-hashes -r requirements/runtime.txt"
RUN = "python -m setup_wizard.project.demo"


@pytest.fixture
def clone(tmp_path):
    clone = Clone(tmp_path / "clone")
    clone.program("python3", SHIM)
    clone.program("python3.12", PYTHON)
    return clone


def test_without_a_working_python_the_message_says_what_to_do(clone):
    clone.program("python3.12", SHIM)

    result = clone.make("demo")

    assert result.returncode != 0
    assert "Found no working Python 3.11 or newer" in result.stdout
    assert "make PYTHON=/path/to/python3 demo" in result.stdout
    assert not (clone.path / ".venv").exists()


@pytest.mark.parametrize("python3", [SHIM, "#!/bin/sh\nexit 1\n"], ids=["only prints an error", "too old"])
def test_a_python_that_does_not_work_is_skipped(clone, python3):
    clone.program("python3", python3)

    result = clone.make("demo")

    assert result.returncode == 0, result.stderr
    assert clone.asked == [MAKE, INSTALL, RUN]


def test_a_second_run_installs_nothing(clone):
    clone.make("demo")

    clone.make("demo")

    assert clone.asked == [RUN]


def test_a_changed_list_is_installed_into_the_same_environment(clone):
    clone.make("demo")
    clone.require("django==5.2.20")

    clone.make("demo")

    assert clone.asked == [INSTALL, RUN]


def test_an_interrupted_installation_is_replaced(clone):
    (clone.path / "offline").touch()
    failed = clone.make("demo")
    (clone.path / ".venv" / "half-a-package").touch()
    (clone.path / "offline").unlink()

    clone.make("demo")

    assert failed.returncode != 0
    assert clone.asked == [MAKE, INSTALL, RUN]
    assert not (clone.path / ".venv" / "half-a-package").exists()


def test_an_environment_without_its_python_is_replaced(clone):
    clone.make("demo")
    (clone.path / ".venv" / "bin" / "python").write_text(SHIM)

    clone.make("demo")

    assert clone.asked == [MAKE, INSTALL, RUN]


def test_a_reset_needs_no_environment(clone):
    (clone.path / "var" / "demo").mkdir(parents=True)

    clone.make("demo-reset")

    assert clone.asked == []
    assert not (clone.path / "var" / "demo").exists()


def test_make_alone_lists_the_commands(clone):
    shown = clone.make().stdout

    assert [line.split()[1] for line in shown.splitlines() if line.startswith("make")] == [
        "demo",
        "demo-reset",
        "test",
        "test-all",
        "test-postgres",
        "compose-test",
        "chaos",
        "chaos-mutants",
        "bench",
        "bench-history",
        "docs",
        "screenshots",
        "requirements",
    ]
