"""A system to break: a queue, a database, workers and supervisors as processes, nodes, and an operator.

Nothing here decides whether a test passes: `journal_checks.py` does, by the nodes' journals and the rows.
"""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import redis

from setup_wizard.project.demo import broker
from setup_wizard.reference_node.faults import parse_fault
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits
from tests import http_requests
from tests.faults import gateway
from tests.faults.databases import SETTLED
from tests.project import forks
from tests.project.processes import free_port, wait_until
from tests.reference_node.background import background
from tests.reference_node.running import start_node
from tests.serving import CLONE, OWN_SETTINGS

PASSWORD = "CANARY-Jupiter-7-battery"
RECEIVED = re.compile(r"Task \S+ received")
DONE = re.compile(r"Task \S+ (succeeded in|raised)")


def now():
    return datetime.now(UTC)


@dataclass
class Part:
    """One process of ours; `log` has its output, after that of earlier processes of this name."""

    name: str
    process: subprocess.Popen | forks.Fork
    log: Path
    back_at: datetime = field(
        default_factory=now
    )  # when it was ready to work; on a busy machine that is some time after its start

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_up(self):
        return self.process.poll() is None

    @property
    def is_frozen(self):
        return self.is_up and Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    @property
    def killed_itself(self):
        return self.process.poll() == -signal.SIGKILL

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self):
        if self.is_up:
            with suppress(ProcessLookupError):
                self.process.kill()  # ends a frozen one too
            self.process.wait(10)
        if self.process.stdin:
            with suppress(BrokenPipeError):
                self.process.stdin.close()


class Operator:
    """A process that starts attempts and makes choices as an operator would; it may be killed like any other."""

    def __init__(self, part):
        self.part = part
        self._answers = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, what, **words):
        """Have the process do something, and give its result; None if it ended before it gave one."""
        with suppress(BrokenPipeError):
            self.part.process.stdin.write(json.dumps({"do": what, **words}) + "\n")
            self.part.process.stdin.flush()
        answer = self._answers.get(timeout=120)
        if answer is not None and "error" in answer:
            raise Refused(answer["error"])
        return answer

    def _listen(self):
        with self.part.process.stdout as output:
            for line in output:
                self._answers.put(json.loads(line))
        self._answers.put(None)


class Refused(Exception):
    """The operator's process gave this error in place of a result."""


class System:
    """Everything of one test; made by the fixture `system`, which also ends it."""

    def __init__(self, place, database):
        self.place, self.database = place, database
        self.parts, self.nodes, self.attempts, self.joins = [], {}, {}, {}
        self._hosted = {}
        self.started_clusters = 0
        self._stack = ExitStack()
        (place / "logs").mkdir()
        # a socket's path may be a hundred characters long, and pytest's directories are deep
        self._socket = Path(mkdtemp(prefix="setup-wizard-")) / "valkey.sock"
        self._stack.callback(shutil.rmtree, self._socket.parent, ignore_errors=True)
        self.redis_url = f"unix://{self._socket}?db=0"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in self.parts:
            part.end()
        self._stack.close()
        self.database.drop()

    @property
    def environment(self):
        passed = {name: value for name in ("PATH", "HOME", "TMPDIR", "LANG") if (value := os.environ.get(name))}
        return passed | {
            **OWN_SETTINGS,
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.redis_url,
            "SETUP_WIZARD_DEMO": "true",  # without it or DEBUG, failpoints are ignored
            "SETUP_WIZARD_ALLOW_LOOPBACK": "true",
            "SETUP_WIZARD_ALLOWED_PORTS": "1-65535",
            "SETUP_WIZARD_DATABASE_POOL": "12",
            "LOG_LEVEL": "DEBUG",
        }

    def spawn(self, name, *words, failpoints=(), env=None, talks=False):
        """Start a process of ours, `python *words`, with some failpoints."""
        environment = {**self.environment, "SETUP_WIZARD_FAILPOINTS": ",".join(failpoints), **(env or {})}
        log = self._log(name)
        return self._keep(name, forks.Fork(words, cwd=CLONE, env=environment, log=log, talks=talks))

    def _keep(self, name, process):
        part = Part(name, process, self._log(name))
        self.parts.append(part)
        return part

    def _log(self, name):
        return self.place / "logs" / f"{name}.log"

    def queue(self):
        program = broker.find_server(os.environ)
        data = self.place / "valkey"
        data.mkdir(exist_ok=True)
        command = broker.server_arguments(program, self._socket, data)
        with self._log("valkey").open("a") as log:
            part = self._keep("valkey", subprocess.Popen(command, stdout=log, stderr=log))
        wait_until(self._is_queue_up)
        self.valkey = part
        return part

    def redis(self):
        return redis.Redis.from_url(self.redis_url, socket_timeout=5)

    def _is_queue_up(self):
        with suppress(redis.RedisError), closing(self.redis()) as client:
            return client.ping()

    def worker(self, *failpoints, name="worker", threads=16, env=None):
        words = ("celery", "-A", "setup_wizard.project", "worker", "-P", "threads", "-c", str(threads))
        before = self._read_log(name).count(" ready.")
        part = self.spawn(
            name,
            *("-m", *words, "--without-gossip", "--without-mingle", "-n", f"{name}@system"),
            failpoints=failpoints,
            env={"REMAP_SIGTERM": "SIGQUIT", **(env or {})},
        )
        wait_until(lambda: self._read_log(name).count(" ready.") > before or not part.is_up, seconds=120)
        part.back_at = now()
        return part

    def supervisor(self, *failpoints, name="supervisor", **more):
        """Start a supervisor; gives the part once it has written a heartbeat, or has died."""
        part = self.spawn(name, "manage.py", "supervise", failpoints=failpoints, **more)
        spawned_at = now()

        def has_begun_or_died():
            beat = self.database.read("SELECT at FROM monitoring_heartbeat WHERE part = ?", "supervisor")
            return not part.is_up or (beat and as_time(beat[0]["at"]) >= spawned_at)

        wait_until(has_begun_or_died, seconds=120)
        part.back_at = now()
        return part

    def operator(self, *failpoints):
        return Operator(self.spawn("operator", "-m", "tests.faults.operator", failpoints=failpoints, talks=True))

    def web(self, *failpoints):
        """Start the pages and the JSON API; gives the part, with its `port`, once it answers."""
        port = free_port()
        words = ("setup_wizard.project.web", "--port", str(port))
        part = self.spawn("web", "-m", *words, failpoints=failpoints)
        part.port = port
        wait_until(lambda: http_requests.answers(port), seconds=120)
        return part

    def token(self):
        forks.run(["manage.py", "sign_in_link"], cwd=CLONE, env=self.environment)  # creates the administrator
        return forks.run(["manage.py", "api_token", "admin"], cwd=CLONE, env=self.environment).split()[-1]

    def node(self, *faults, pace=0.1, validates=True, alone=True):
        """Start a freshly installed node; gives its address.

        `validates`: whether its version can check a request before the bootstrap, as newer ones do. `alone`: whether
        its cluster has no other node. Else it has an IP address of its own, because a cluster lists its nodes by these.
        """
        place = self._place()
        node = Node(
            place,
            self._ip(place, alone),
            pace=pace,
            faults=[parse_fault(fault) for fault in faults],
            traits=Traits(validates=validates),
        )
        server = self._stack.enter_context(background(node))
        self.nodes[server.address] = place / "journal.jsonl"
        self._hosted[server.address] = node
        return server.address

    def remove_faults(self, address):
        """Remove the faults of a node that `node` started."""
        self._hosted[address].faults.put(())

    def gateway(self, node):
        """Put a gateway that sends each request for a bootstrap twice before a node; gives the gateway's address."""
        journal = self.nodes[node]
        address = self._stack.enter_context(gateway.before(node, journal.with_name("certificate.pem")))
        self.nodes[address] = journal
        return address

    def machine(self, *, pace, alone=True):
        """Start a node as a process, which can be killed and restarted; `alone` as for `node`."""
        place = self._place()
        bind, options = self._ip(place, alone), ("--control", "127.0.0.1:0")
        machine = self._stack.enter_context(start_node(place, bind=bind, pace=pace, options=options))
        self.nodes[machine.address] = machine.journal
        return machine

    @staticmethod
    def _ip(place, alone):
        return "127.0.0.1" if alone else f"127.0.1.{place.name}"

    def _place(self):
        return self.place / "nodes" / str(len(self.nodes) + 1)

    def start(self, operator, address, **words):
        """Press Start; gives the attempt's id, or None if the operator's process ended meanwhile."""
        self.started_clusters += 1
        cluster = f"redis-{self.started_clusters}.example.com"
        done = operator.ask("start", **{"node": address, "cluster": cluster, "password": PASSWORD} | words)
        if done is None:
            return None
        self.attempts[done["attempt"]] = address
        if "member" in words:
            self.joins[done["attempt"]] = words["member"]
        return done["attempt"]

    def row(self, attempt):
        return self.database.row(attempt)

    def kinds(self, attempt):
        return self.database.kinds(attempt)

    def journal(self, address):
        return [json.loads(line) for line in self.nodes[address].read_text().splitlines()]

    def accepted(self, address):
        return [line for line in self.journal(address) if line.get("accepted")]

    def posts(self, address):
        return [line for line in self.journal(address) if asks_for_bootstrap(line)]

    def settled(self, *attempts, seconds=180):
        """Wait until these attempts, or all, have ended or need an operator; gives their rows."""
        return [self.database.outcome(attempt, seconds) for attempt in attempts or self.attempts]

    def wait_for_failpoint(self, worker, point):
        """Wait until a worker acts at one of its failpoints."""
        wait_until(lambda: f"failpoint {point.value}" in self._read_log(worker.name), seconds=60)

    def wait_until_idle(self, worker, seconds=60):
        """Wait until a worker has finished every task that it received, or has died."""

        def is_idle():
            log = self._read_log(worker.name)
            return not worker.is_up or len(RECEIVED.findall(log)) == len(DONE.findall(log))

        wait_until(is_idle, seconds=seconds)

    def resumed_by(self, attempt, moment, seconds=60):
        """Wait for progress of an attempt after a moment; gives the seconds until then, almost 0 if it is settled."""

        def seconds_until_progress():
            row = self.row(attempt)
            times = [event["at"] for event in self.database.events(attempt)] + [row["last_asked_at"]]
            later = [at for at in map(as_time, filter(None, times)) if at >= moment]
            if later:
                return (min(later) - moment).total_seconds() or 0.001
            return 0.001 if row["state"] in SETTLED else None

        return wait_until(seconds_until_progress, seconds=seconds)

    parse = staticmethod(json.loads)

    @staticmethod
    def now():
        return now()

    @staticmethod
    def as_time(value):
        return as_time(value)

    def _read_log(self, name):
        log = self._log(name)
        return log.read_text(errors="replace") if log.exists() else ""


def asks_for_bootstrap(line):
    path = line.get("path") or ""
    return line.get("method") == "POST" and path.startswith("/v1/bootstrap/") and "/validate" not in path


def as_time(value):
    """Read a column's time, which is text on SQLite."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
