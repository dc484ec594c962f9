"""The product in containers, under its own project name, with the engine of `COMPOSE`."""

import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

from tests.project.processes import free_port, wait_until

CLONE = Path(__file__).resolve().parents[2]
PROJECT = "setup-wizard-test"
SUBNET = os.environ.get("NODE_SUBNET", "10.231.95")
ADDRESSES = {f"node{number}": f"{SUBNET}.10{number}:9443" for number in (1, 2, 3)}
DATA = "/var/lib/reference-node"
PART = {"db": "postgres"}  # the user whose processes are killed; elsewhere that of the container
SQL = (
    'PGPASSWORD="$(cat /run/setup-wizard/db/password)" exec psql -h 127.0.0.1 -U setup_wizard -d setup_wizard -Atc "$1"'
)


class Containers:
    """The services of `docker compose up`, with the interface of `Demo`."""

    def __init__(self):
        self.command = [*shlex.split(os.environ["COMPOSE"]), "-p", PROJECT]
        self.port = free_port()
        self.environment = {**os.environ, "WEB_PORT": str(self.port), "NODE_SUBNET": SUBNET}
        self.nodes = [{"address": f"{name}:9443"} for name in ADDRESSES]

    def engine(self, *words, check=True):
        done = subprocess.run(
            [*self.command, *words],
            cwd=CLONE,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self):
        self.engine("down", "-v", check=False)
        self.engine("build")
        self.engine("up", "-d")
        wait_until(lambda: self.printed_link, seconds=120)
        return self

    def stop(self):
        self.engine("down", "-v", check=False)

    @property
    def printed_link(self):
        """The newest link in the log of web."""
        found = re.findall(r"Open (http://127\.0\.0\.1:\d+/sign-in/[\w-]+/)", self.engine("logs", "web", check=False))
        return found[-1] if found else None

    @property
    def link(self):
        """A new link, because each signs in once."""
        said = self.run("web", "exec python manage.py sign_in_link", check=False).strip()
        assert said.startswith("/sign-in/"), said
        return said

    def run(self, service, script, *arguments, user=(), check=True):
        """Run a shell script in the container of a service."""
        return self.engine("exec", "-T", *user, service, "sh", "-c", script, "sh", *arguments, check=check)

    def kill(self, service):
        """Kill every process of a service; the engine must restart it."""
        user = ("--user", PART[service]) if service in PART else ()
        self.run(service, "kill -9 -1", user=user, check=False)

    def renew(self, node):
        """Reset a node: no cluster, no certificate, no journal."""
        self.run(node, f"rm -rf {DATA}/* && kill -9 -1", check=False)
        wait_until(lambda: self.listens(node), seconds=60)

    def listens(self, node):
        look = "import socket; socket.create_connection((socket.gethostname(), 9443), 2); print('it does')"
        return "it does" in self.run(node, f'python -c "{look}"', check=False)

    def journal(self, node):
        return [json.loads(line) for line in self.run(node, f"cat {DATA}/journal.jsonl").splitlines()]

    def accepted(self, node):
        return [line for line in self.journal(node) if line.get("accepted")]

    def read(self, sql):
        """Rows of the database as lists of texts; none while it does not respond."""
        return [line.split("|") for line in self.run("db", SQL, sql, check=False).splitlines()]

    def secrets(self):
        """The secrets in the volumes."""
        found = self.run("web", "cd /run/setup-wizard/app && for file in *; do cat $file; echo; done").split()
        passwords = [part for url in found if "://" in url for part in re.findall(r":([\w-]+)@", url)]
        return {*found, *passwords}

    def await_state(self, attempt, seconds):
        """Wait until the attempt has ended or needs the operator, and return its state."""
        deadline = time.monotonic() + seconds
        final = {"succeeded", "failed", "cancelled", "needs_operator"}
        while time.monotonic() < deadline:
            rows = self.read(f"SELECT state FROM attempts_attempt WHERE id = '{attempt}'")
            if rows and rows[0][0] in final:
                return rows[0][0]
            time.sleep(0.5)
        return f"no outcome within {seconds} s: {rows}"
