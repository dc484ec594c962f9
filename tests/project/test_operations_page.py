"""Runs the commands of docs/operations.md in a copy of the checkout."""

import base64
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.demos import CLONE
from tests.http_requests import ask
from tests.project.processes import free_port, wait_until
from tests.redis_servers import running_redis

pytestmark = [pytest.mark.faults, pytest.mark.slow]

INSTALLS = ("python3 -m venv .venv", ".venv/bin/pip install --require-hashes -r requirements/runtime.txt")
PROGRAMS = {".venv/bin/python": sys.executable, ".venv/bin/celery": f"{sys.executable} -m celery"}


def blocks_of_the_page():
    page = (CLONE / "docs" / "operations.md").read_text()
    return [
        re.sub("^ {4}", "", block, flags=re.MULTILINE) for block in re.findall(r"(?:^ {4}.*\n)+", page, re.MULTILINE)
    ]


@pytest.fixture
def checkout(tmp_path):
    for name in ("setup_wizard", "templates", "static", "docs"):
        shutil.copytree(CLONE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", ".env.example"):
        shutil.copy(CLONE / name, tmp_path)
    return tmp_path


@pytest.fixture
def queue():
    with running_redis() as url:
        yield url


@pytest.fixture
def shell(checkout):
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    running = []

    def start(script):
        for shown, real in PROGRAMS.items():
            script = re.sub(rf"(?<!\S){re.escape(shown)}", real, script)
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=checkout,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def finish(process):
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def fill_in(file, **values):
    text = file.read_text()
    for name, value in values.items():
        text, found = re.subn(rf"^{name}=.*$", f"{name}='{value}'", text, flags=re.MULTILINE)
        assert found == 1, name
    file.write_text(text)


def is_ready(port):
    with suppress(OSError):
        return ask(port, "/readyz", seconds=5).status == 200
    return False


def test_the_commands_of_the_page_install_and_run_a_checkout(checkout, queue, shell):
    install, prepare, run, _delivery = blocks_of_the_page()
    assert all(line in install for line in INSTALLS)  # not run: they download packages

    finish(shell("\n".join(line for line in install.splitlines() if line not in INSTALLS)))
    fill_in(
        checkout / ".env",
        SECRET_KEY=secrets.token_urlsafe(48),
        ALLOWED_HOSTS="127.0.0.1",
        SETUP_WIZARD_CREDENTIAL_KEYS=base64.b64encode(secrets.token_bytes(32)).decode(),
        REDIS_URL=queue,
    )
    said = finish(shell(prepare))
    port = free_port()
    for line in run.replace("8000", str(port)).splitlines():
        shell(f"set -a; . ./.env; set +a; exec env {line}")

    assert "enter this setup token" in said
    assert stat.S_IMODE((checkout / "var" / "setup-token").stat().st_mode) == 0o600
    wait_until(lambda: is_ready(port), seconds=45)
