"""A web process with its own database, and readers of its streams."""

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from tests.project.processes import wait_until
from tests.serving import PRODUCT, server_arguments

CLONE = Path(__file__).resolve().parents[2]
NO_REDIS = "unix:///nowhere/redis.sock?db=0"

SEED = """
import json
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from setup_wizard.attempts.models import Attempt

def sign_in(user):
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "setup_wizard.access.backends.LimitedBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key

users = [User.objects.create_superuser(name) for name in {names!r}]
attempts = [
    Attempt.objects.create(
        requested_by=users[0], action="create_cluster", host=host, address=host + ":9443", request={{}},
        fingerprint="AB:CD", state="in_progress", last_seq=7,
    )
    for host in {hosts!r}
]
print(json.dumps({{
    "attempts": [str(attempt.pk) for attempt in attempts],
    "sessions": [[sign_in(user) for _ in range({sessions})] for user in users],
}}))
"""


class Web:
    """uvicorn as in production, with rows to watch; `save_event` changes an attempt as the worker would."""

    def __init__(
        self,
        path,
        redis_url=NO_REDIS,
        *,
        names=("maria",),
        hosts=("10.0.0.5", "10.0.0.6"),
        sessions=4,
        application=PRODUCT,
    ):
        self.database = path / "rows.sqlite3"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": redis_url,
        }
        self._manage("migrate", "-v0")
        seeded = self._manage("shell", "-v0", "-c", SEED.format(names=names, hosts=hosts, sessions=sessions))
        known = json.loads(seeded.splitlines()[-1])
        self.attempts, self.sessions = known["attempts"], known["sessions"]
        self.log = []
        self.process = subprocess.Popen(
            [sys.executable, *server_arguments(application)],
            cwd=CLONE,
            env=self.environment,
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        self.port = int(wait_until(lambda: re.search(r"running on http://127.0.0.1:(\d+)", "".join(self.log)), 30)[1])

    def _read(self):
        with self.process.stderr as stderr:
            self.log.extend(iter(stderr.readline, ""))

    def _manage(self, *arguments):
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=CLONE, env=self.environment, check=True, text=True, timeout=60, stdout=subprocess.PIPE
        ).stdout

    def write(self, sql, *values):
        with sqlite3.connect(self.database, timeout=20) as connection:
            connection.execute(sql, values)
        connection.close()

    def save_event(self, attempt, seq, state="in_progress"):
        row = attempt.replace("-", "")
        self.write("UPDATE attempts_attempt SET last_seq = ?, state = ? WHERE id = ?", seq, state, row)

    def ask(self, path, session="", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        connection.request(method, path, headers={"Cookie": f"sessionid={session}", "Accept-Encoding": "gzip, br"})
        return connection, connection.getresponse()

    @contextmanager
    def watch(self, attempt, session):
        stream = Stream(*self.ask(f"/attempts/{attempt}/stream", session))
        try:
            yield stream
        finally:
            stream.close()

    @property
    def threads(self):
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    @property
    def open_databases(self):
        files = Path(f"/proc/{self.process.pid}/fd").iterdir()
        return sum(os.path.realpath(file) == str(self.database) for file in files)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self._reading.join(5)


class Stream:
    """One open stream, read line by line."""

    def __init__(self, connection, answer):
        self.connection, self.answer = connection, answer
        self.status, self.headers = answer.status, answer.headers

    def read(self):
        """Give the next message as a dict of its fields, comments under ""; None when the stream has ended."""
        message = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                return message
            name, _, value = line.rstrip("\n").partition(":")
            message[name] = value.strip()
        return None

    def close(self):
        self.answer.close()
        self.connection.close()
