"""The whole product as `make demo` runs it, in a copy of the checkout."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests import http_requests
from tests.project.processes import end, free_port, wait_until

CLONE = Path(__file__).resolve().parents[1]
# bytecode is copied, because each demo would compile everything in six processes; another test may be writing some
HALF_WRITTEN = shutil.ignore_patterns("*.pyc.*")


class Demo:
    """A copy of the checkout, and the demo that runs in it."""

    def __init__(self, path, *, nodes=3):
        self.path, self.node_count = path, nodes
        for name in ("setup_wizard", "templates", "static", "docs"):
            shutil.copytree(CLONE / name, path / name, ignore=HALF_WRITTEN)
        shutil.copy(CLONE / "manage.py", path)
        self.port, self.node_port = free_port(), free_port()
        self.process = None
        self.lines = []

    def launch(self):
        environment = {
            **os.environ,
            "DEMO_PORT": str(self.port),
            "DEMO_NODE_PORT": str(self.node_port),
            "DEMO_NODES": str(self.node_count),
        }
        for name in ("REDIS_URL", "DATABASE_URL", "MAKELEVEL"):
            environment.pop(name, None)
        return subprocess.Popen(
            [sys.executable, "-m", "setup_wizard.project.demo"],
            cwd=self.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def start(self):
        self.lines = []
        self.process = self.launch()
        threading.Thread(target=self._read, args=[self.process.stdout], daemon=True).start()
        wait_until(lambda: self.link or self.process.poll() is not None, seconds=150)
        assert self.link, self.said
        return self

    def _read(self, stream):
        with stream:
            self.lines.extend(iter(stream.readline, ""))

    @property
    def said(self):
        return "".join(self.lines)

    @property
    def link(self):
        found = re.search(r"^Open (http://\S+)$", self.said, re.MULTILINE)
        return found and found[1]

    @property
    def pids(self):
        found = {}
        for note in sorted((self.path / "var" / "demo" / "pids").iterdir()):
            with suppress(FileNotFoundError, IndexError):  # the launcher is writing or deleting the file
                found[note.name] = int(note.read_text().split()[0])
        return found

    @property
    def nodes(self):
        return json.loads((self.path / "var" / "demo" / "nodes.json").read_text())

    def get(self, path, cookie=""):
        path = path.removeprefix(f"http://127.0.0.1:{self.port}")
        return http_requests.ask(self.port, path, seconds=10, Cookie=cookie)

    def answers(self):
        return http_requests.answers(self.port)

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(15)

    def clean_up(self):
        if self.process and self.process.poll() is None:
            pids = self.pids
            self.stop()
            for pid in pids.values():
                end(pid)


def session_of(answer):
    cookies = [cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])]
    return "".join(cookie for cookie in cookies if cookie.startswith("sessionid="))
