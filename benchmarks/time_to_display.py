"""From the change of a node's state to its display in an operator's browser.

A node writes its record just before it shows a change, so the file's time is that of the change. A page records when
its text changes. For comparison, a second page polls the same attempt once a second.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.chromium import launch_options
from tests.faults.conftest import Client
from tests.live.web_server import CLONE, Web
from tests.redis_servers import running_redis
from tests.reference_node.running import start_node

ATTEMPTS = 16
WORDS = {"creating_cluster": "Creating the cluster", "completed": "Your cluster is up"}

NOTE_CHANGES = """
window.seen = {};
const look = () => {
  const stage = document.querySelector('.stages [aria-current="step"] > div')?.textContent ?? "";
  const headline = document.querySelector("#panel .state")?.textContent ?? "";
  for (const word of %s) {
    if (!(word in seen) && (stage.includes(word) || headline.includes("up") && headline.includes(word))) {
      seen[word] = Date.now() / 1000;
    }
  }
};
addEventListener("DOMContentLoaded", () => {
  look();
  window.opened = Date.now() / 1000;
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true, characterData: true});
});
""" % json.dumps(list(WORDS.values()))  # noqa: UP031 - braces are the script's own
ASK_EVERY_SECOND = "const every = setInterval; window.setInterval = (f, ms) => every(f, ms === 3000 ? 1000 : ms);"


@dataclass
class DisplayTimes:
    """Seconds from change to times: by the stream, and by asking once a second."""

    streamed: list[float] = field(default_factory=list)
    polled: list[float] = field(default_factory=list)

    @staticmethod
    def p95(lasted):
        return quantiles(lasted, n=20)[-1]

    median = staticmethod(median)


class Deployment(Web):
    """Web, worker and supervisor, as they are run."""

    def __init__(self, path, redis_url):
        os.environ["SETUP_WIZARD_DEMO"] = "true"  # for the link that signs in
        super().__init__(path, redis_url)
        self.link = f"http://127.0.0.1:{self.port}{self._manage('sign_in_link').strip().splitlines()[-1]}"
        celery = ["-m", "celery", "-A", "setup_wizard.project", "worker", "-P", "threads", "-c", "32"]
        self.others = [
            self._run(*celery, "--without-gossip", "--without-mingle"),
            self._run("manage.py", "supervise"),
        ]

    def _run(self, *arguments):
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=CLONE,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self):
        for process in self.others:
            process.kill()
            process.wait()
        super().stop()


class Record(threading.Thread):
    """Notes when a node's record says another state for the first time."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.path = node.directory / "node.json"
        self.changed = {}
        self.start()

    def run(self):
        last = 0
        while "completed" not in self.changed:
            now = self.path.stat().st_mtime_ns
            if now != last:
                last = now
                phase = json.loads(self.path.read_text())["progress"]["phase"]
                self.changed.setdefault("creating_cluster" if phase == "working" else phase, now / 1e9)
            time.sleep(0.005)


def measure(attempts=ATTEMPTS):
    """Create clusters, one after the other, before two pages."""
    times = DisplayTimes()
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        deployment = Deployment(place, stack.enter_context(running_redis(place)))
        stack.callback(deployment.stop)
        client = Client(deployment)
        pages = stack.enter_context(two_pages(client))
        for number in range(attempts):
            with start_node(place / f"node-{number}", pace=random.uniform(1.0, 2.0)) as node:
                record = Record(node)
                attempt = client.create(node.address, cluster=f"redis-{number}.example.com")
                follow(f"http://127.0.0.1:{deployment.port}/attempts/{attempt}/", pages, record, times)
    return times


def follow(address, pages, record, times):
    for page in pages:
        page.goto(address, wait_until="domcontentloaded")
    for page, lasted in zip(pages, (times.streamed, times.polled), strict=True):
        page.locator("#panel .state", has_text=WORDS["completed"]).wait_for(timeout=30_000)
        seen, opened = page.evaluate("[seen, opened]")
        for state, word in WORDS.items():
            if word in seen and record.changed[state] > opened:
                lasted.append(seen[word] - record.changed[state])


@contextmanager
def two_pages(client):
    cookies = [
        {"name": name, "value": value, "domain": "127.0.0.1", "path": "/"} for name, value in client.cookies.items()
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        contexts = [browser.new_context(storage_state={"cookies": cookies}) for _ in range(2)]
        streamed, polled = (context.new_page() for context in contexts)
        polled.add_init_script(ASK_EVERY_SECOND)
        polled.route("**/stream", lambda route: route.abort())
        for page in (streamed, polled):
            page.add_init_script(NOTE_CHANGES)
        yield streamed, polled
        browser.close()
