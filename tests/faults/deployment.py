"""Web, worker and supervisor as processes of their own, with a queue and a database that a test can take away."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

from tests import http_requests
from tests.project import forks
from tests.project.processes import free_port, wait_until
from tests.redis_servers import start_redis
from tests.serving import CLONE

METRICS_TOKEN = "quiet-otters-0123456789-0123456789"


class Queue:
    """A server of the doorbell's kind, to be killed, frozen and started again."""

    def __init__(self, place):
        self.place, self.socket = place, place / "queue.sock"
        self.start()

    def start(self):
        self.process = start_redis(self.place, self.socket)
        wait_until(self._answers, seconds=20)

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.socket.unlink(missing_ok=True)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def say(self, words):
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(words.encode() + b"\r\n")
            return connection.recv(1000)

    def _answers(self):
        with suppress(OSError):
            return self.say("PING").startswith(b"+PONG")
        return False


class Proxy:
    """A way to the queue on which everything can be swallowed, without a word to either end."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.swallows_new = False
        self._swallowing = set()
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self, *, new):
        """From now on nothing passes on the connections that are there, nor, if `new`, on any other."""
        self.swallows_new = new
        self._swallowing |= self._open

    def pass_on(self):
        """Let new connections through again; those that were swallowed stay as they are."""
        self.swallows_new = False

    def close(self):
        self.listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        connection = object()
        self._open.add(connection)
        if self.swallows_new:
            self._swallowing.add(connection)
        with suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
            if connection not in self._swallowing:
                server.connect(str(self.target))
            while True:
                ends = [client] if connection in self._swallowing else [client, server]
                for ready in select.select(ends, [], [], 0.2)[0]:
                    data = ready.recv(65536)
                    if connection in self._swallowing and data:
                        continue
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)
        self._open.discard(connection)


class Deployment:
    """The product on a database, as it is run without the demo; `client` signs in by `link`."""

    def __init__(self, place, redis_url, database, *, before=()):
        """The database has every table. `before` is what each part is started by, if by anything."""
        self.place, self.database, self.port, self.before = place, database, free_port(), before
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database.url,
            "REDIS_URL": redis_url,
            "SETUP_WIZARD_DEMO": "true",  # for the link that signs in
            "SETUP_WIZARD_METRICS_TOKEN": METRICS_TOKEN,
        }
        self.parts, self._said = {}, {}
        self.run("web", "-m", "setup_wizard.project.web", "--port", str(self.port))
        self.run_worker("worker")
        self.run_supervisor("supervisor")
        self.link = f"http://127.0.0.1:{self.port}{self.manage('sign_in_link').strip().splitlines()[-1]}"
        self.token = self.manage("api_token", "admin").strip().splitlines()[-1]
        wait_until(lambda: self.is_ready, seconds=60)

    def manage(self, *arguments):
        return forks.run(["manage.py", *arguments], cwd=CLONE, env=self.environment)

    def run_worker(self, name):
        celery = ["-m", "celery", "-A", "setup_wizard.project", "worker", "-P", "threads", "-c", "32"]
        self.run(name, *celery, "--without-gossip", "--without-mingle")

    def run_supervisor(self, name):
        self.run(name, "manage.py", "supervise")

    def run(self, name, *arguments):
        said = self._said[name] = []
        # its output is no file: a test may keep every file from growing
        if self.before:
            command, pipes = [*self.before, sys.executable, *arguments], {"stdout": subprocess.PIPE, "text": True}
            process = subprocess.Popen(command, cwd=CLONE, env=self.environment, stderr=subprocess.STDOUT, **pipes)
        else:
            process = forks.Fork(arguments, cwd=CLONE, env=self.environment, talks=True)
        self.parts[name] = process

        def read():
            with process.stdout as lines:
                said.extend(iter(lines.readline, ""))

        threading.Thread(target=read, daemon=True).start()

    def log(self, name):
        return "".join(self._said[name])

    def ask(self, path, *, seconds=30, **headers):
        return http_requests.ask(self.port, path, seconds=seconds, **headers)

    def call(self, path, document=None, *, method="POST"):
        return http_requests.call_api(self.port, self.token, path, document, method=method)

    @property
    def is_ready(self):
        with suppress(OSError):
            return self.ask("/readyz").status == 200
        return False

    def troubles(self, client):
        """The parts that the banner of an open page names."""
        shown = client.get("/banner/?shown=something")
        return re.findall(r'shown=([a-z,]*)"', shown)[0].split(",")

    def refused(self):
        """Every answer that web logged with 500."""
        return re.findall(r'[^"]*HTTP/1\.1\\?" 500', self.log("web"))

    def stop(self):
        for name in list(self.parts):
            self.end(name)

    def end(self, name):
        process = self.parts.pop(name)
        process.kill()
        process.wait(10)
        if process.stdin:
            process.stdin.close()


def timed(action):
    """Give what an action gave, and the seconds it took."""
    begun = time.monotonic()
    return action(), time.monotonic() - begun
