"""The product as processes of its own, with every place in which a secret could turn up."""

import http.client
import json
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults import canary
from tests.faults.conftest import new_database
from tests.faults.deployment import METRICS_TOKEN, Deployment, Queue
from tests.project.processes import wait_until


class Product:
    """The product as processes that log everything, and what was heard of it.

    `admin` is a browser in which an administrator has signed in.
    """

    def __init__(self, place, database, stack):
        self.place, self.database = place, database
        (place / "tmp").mkdir()
        self.queue = Queue(place)
        stack.callback(self.queue.kill)
        queue_url = f"unix://{self.queue.socket}?db=0"
        self.traffic = canary.Traffic(queue_url)
        stack.callback(self.traffic.client.close)
        self.deployment = Deployment(place, queue_url, database)
        stack.callback(self.deployment.stop)
        self.nodes = [canary.QuotingNode() for _ in range(4)]
        for node in self.nodes:
            stack.callback(node.server.stop)
        self.browsers, self.answers = [], []
        self.secrets = {"API token": self.deployment.token}

    def browse(self, link=""):
        self.browsers.append(canary.Recorder(self.deployment, link=link))
        return self.browsers[-1]

    def call(self, method, path, document=None):
        answer = self.deployment.call(path, document, method=method)
        self.answers.append(answer.text.encode())
        return answer.status, json.loads(answer.text)

    def write(self, sql, *values):
        """Change a row behind the product's back: some states take minutes to come about."""
        self.database.write(sql, *values)

    def refuse(self, attempt):
        wait_until(lambda: self.database.row(attempt)["node_state"] == "creating_cluster", seconds=30)
        self.write(
            "UPDATE attempts_attempt SET state = 'needs_operator', reason = 'credentials_refused', "
            "resume_state = 'in_progress', waiting_since = created_at, lease_token = lease_token + 1 WHERE id = ?",
            self.database.key(attempt),
        )

    def stream(self, browser, attempt):
        """The first messages of an attempt's stream."""
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        with closing(http.client.HTTPConnection("127.0.0.1", self.deployment.port, timeout=10)) as connection:
            connection.request("GET", f"/attempts/{attempt}/stream", headers={"Cookie": cookie})
            self.answers.append(connection.getresponse().read1(4096))

    def places(self):
        """All that is to be searched, by where it is."""
        said = {f"log of {part}": self.deployment.log(part).encode() for part in self.deployment.parts}
        pages = [page.encode() for browser in self.browsers for page in browser.pages]
        return {
            **canary.read_tables(self.database, canary.known_tables(self.database)),
            **canary.read_files(self.place),
            **said,
            "database": self.database.bytes(),
            "sessions": canary.read_sessions(self.database),
            "queue": self.traffic.bytes(),
            "processes": canary.read_processes(part.pid for part in self.deployment.parts.values()),
            "pages": b"\n".join([*pages, *self.answers]),
            "metrics": self.deployment.ask("/metrics", Authorization=f"Bearer {METRICS_TOKEN}").text.encode(),
        }


@contextmanager
def running_product(kind, template):
    """Every library of it says everything, and it has a place of its own for temporary files."""
    with TemporaryDirectory(prefix="canary-") as name, ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        place = Path(name)
        patch.setenv("LOG_LEVEL", "DEBUG")
        patch.setenv("TMPDIR", str(place / "tmp"))
        database = new_database(kind, template, place)
        stack.callback(database.drop)
        yield Product(place, database, stack)
