"""Without the queue, and without the database, for a while: what is answered meanwhile, and what goes on afterwards.

Rows 2, 46, 47 and 48, and pitfalls 2 and 17, of docs/failure-modes.md.
"""

import http.client
import json
import os
import re
import resource
import signal
import sqlite3
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import psycopg
import pytest

from tests.attempts.streams import run_redis
from tests.faults.conftest import Client
from tests.faults.site import METRICS_TOKEN, Proxy, Queue, Site, timed
from tests.nodes.servers import Server, answer
from tests.postgres import serving
from tests.project.processes import wait_until
from tests.reference_node.running import start_node

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

STARTS_WITHIN = (
    2.0  # promised is 1 s, on a machine that does nothing else; to wait for the queue once costs 2 s or more
)
TOLD_WITHIN = 30
GOES_ON_WITHIN = 35
GREEN_WITHIN = 40
DOWN = 20  # long enough for a worker's second thoughts about connecting to grow

IDLE = {
    "bootstrap_status": {"state": "idle"},
    "local_node_info": {
        "software_version": "7.22.0-216",
        "cores": 4,
        "total_memory": 16_600_000_000,
        "available_addresses": [{"address": "127.0.0.1", "format": "ipv4", "if_name": "eth0", "private": True}],
    },
}


@pytest.fixture(scope="module")
def site():
    """With its `queue`, behind a `proxy`, and a `client` who is signed in."""
    with TemporaryDirectory(prefix="outage-") as name, ExitStack() as stack:
        place = Path(name)
        queue = Queue(place)
        stack.callback(queue.kill)
        proxy = Proxy(queue.socket)
        stack.callback(proxy.close)
        site = Site(place, f"redis://127.0.0.1:{proxy.port}/0", f"sqlite:///{place / 'rows.sqlite3'}")
        stack.callback(site.stop)
        site.queue, site.proxy, site.client = queue, proxy, Client(site)
        yield site


@pytest.fixture
def node(tmp_path):
    with start_node(tmp_path / "node", pace=0.3) as node:
        yield node


def attempt_of(site, attempt):
    return json.loads(site.ask(f"/api/v1/attempts/{attempt}", Authorization=f"Bearer {site.token}").text)


def press_start(site, node, cluster):
    """Everything up to the review page, and then Start; gives the attempt's id, and the seconds that Start took."""
    took, client = [], site.client
    post = client.post

    def note(path, **fields):
        page, seconds = timed(lambda: post(path, **fields))
        took.append(seconds)
        return page

    client.post = note
    try:
        return client.create(node.address, cluster=cluster), took[-1]
    finally:
        client.post = post


@contextmanager
def killed(site):
    site.queue.kill()
    try:
        yield
    finally:
        site.queue.start()


@contextmanager
def frozen(site):
    site.queue.freeze()
    try:
        yield
    finally:
        site.queue.thaw()


@contextmanager
def half_open(site):
    """The connections stand, and whatever is sent on them, or on a new one, is never heard of again."""
    site.proxy.swallow(new=True)
    try:
        yield
    finally:
        site.proxy.pass_on()


def go_without(site, node, outage, seconds):
    """Press Start while the queue is away, and see everything go on when it is back."""
    with outage(site):
        begun = time.monotonic()
        attempt, took = press_start(site, node, f"redis-{outage.__name__}-{seconds}.example.com".replace("_", "-"))
        assert took < STARTS_WITHIN
        assert attempt_of(site, attempt)["state"] == "queued"
        assert "Queued" in site.client.get(f"/attempts/{attempt}/")
        wait_until(lambda: site.ask("/readyz").status == 503, seconds=TOLD_WITHIN)
        wait_until(lambda: "queue" in site.troubles(site.client), seconds=TOLD_WITHIN - (time.monotonic() - begun))
        assert "setups will start" in site.client.get(f"/attempts/{attempt}/").lower()
        time.sleep(max(0.0, begun + seconds - time.monotonic()))  # how long it is away is what is tried
        assert attempt_of(site, attempt)["state"] == "queued"
        assert node.accepted() == []
    back = time.monotonic()
    wait_until(lambda: attempt_of(site, attempt)["state"] != "queued", seconds=GOES_ON_WITHIN)
    wait_until(lambda: site.is_ready, seconds=GREEN_WITHIN - (time.monotonic() - back))
    wait_until(lambda: attempt_of(site, attempt)["state"] == "succeeded", seconds=60)
    assert len(node.accepted()) == 1
    assert site.refused() == []


def test_with_the_queue_frozen_start_answers_at_once_and_all_goes_on_when_it_is_back(site, node):
    go_without(site, node, frozen, 0)


def test_what_workers_measured_is_told_by_web(site, node):
    attempt, _ = press_start(site, node, "redis-measured.example.com")
    wait_until(lambda: attempt_of(site, attempt)["state"] == "succeeded", seconds=60)

    def counted(series):
        told = site.ask("/metrics", Authorization=f"Bearer {METRICS_TOKEN}").text
        found = re.search(rf"^{re.escape(series)} (\S+)$", told, re.MULTILINE)
        return float(found[1]) if found else 0

    wait_until(lambda: counted('setup_wizard_tick_lateness_seconds_count{node="answering"}') >= 3, seconds=30)
    wait_until(
        lambda: counted('setup_wizard_node_exchange_seconds_count{call="submit",outcome="accepted"}') > 0, seconds=30
    )
    assert counted('setup_wizard_attempts{error_code="",reason="",state="succeeded"}') > 0
    assert counted('setup_wizard_up{part="worker"}') == 1


@pytest.mark.chaos
def test_any_number_of_workers_and_supervisors_is_as_good_as_one(site, tmp_path):
    """Row 50: three of each, all with the same name."""
    for number in (2, 3):
        site.run_worker(f"worker-{number}")
        site.run_supervisor(f"supervisor-{number}")
    try:
        with ExitStack() as stack:
            nodes = [stack.enter_context(start_node(tmp_path / f"node-{number}", pace=0.3)) for number in range(4)]
            attempts = [
                press_start(site, node, f"redis-many-{number}.example.com")[0] for number, node in enumerate(nodes)
            ]
            for attempt in attempts:
                wait_until(lambda each=attempt: attempt_of(site, each)["state"] == "succeeded", seconds=60)
            assert [len(node.accepted()) for node in nodes] == [1] * 4
            assert all(process.poll() is None for process in site.parts.values())
    finally:
        for number in (2, 3):
            for name in (f"worker-{number}", f"supervisor-{number}"):
                site.end(name)


@pytest.mark.chaos
@pytest.mark.parametrize("outage", [killed, frozen, half_open], ids=lambda outage: outage.__name__)
@pytest.mark.parametrize("seconds", [DOWN, 90])
def test_so_it_does_however_the_queue_goes_away_and_for_how_long(site, node, outage, seconds):
    go_without(site, node, outage, seconds)


@pytest.mark.chaos
def test_connections_that_went_dead_by_themselves_are_noticed(site, node):
    """As after a failover: new ones work, the old ones swallow everything, so whatever was taken off is lost."""
    site.proxy.swallow(new=False)
    went = time.monotonic()

    attempt, took = press_start(site, node, "redis-failover.example.com")

    assert took < STARTS_WITHIN
    wait_until(lambda: attempt_of(site, attempt)["state"] != "queued", seconds=GOES_ON_WITHIN)
    wait_until(lambda: site.is_ready, seconds=GREEN_WITHIN - (time.monotonic() - went))
    wait_until(lambda: attempt_of(site, attempt)["state"] == "succeeded", seconds=60)
    assert len(node.accepted()) == 1


@pytest.mark.chaos
def test_a_queue_that_forgets_everything_costs_seconds(site, node):
    """FLUSHALL takes messages and the table of bindings along."""
    attempt = site.client.create(node.address, cluster="redis-flushed.example.com")
    over = threading.Event()

    def flush():
        while not over.wait(0.3):
            site.queue.say("FLUSHALL")

    flushing = threading.Thread(target=flush)
    flushing.start()
    try:
        wait_until(lambda: attempt_of(site, attempt)["state"] == "succeeded", seconds=90)
    finally:
        over.set()
        flushing.join()
    assert len(node.accepted()) == 1


@pytest.mark.chaos
def test_a_web_process_that_is_frozen_does_not_answer_and_is_ready_when_it_goes_on(site):
    os.kill(site.parts["web"].pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            site.ask("/readyz", seconds=5)
    finally:
        os.kill(site.parts["web"].pid, signal.SIGCONT)
    wait_until(lambda: site.is_ready, seconds=GREEN_WITHIN)


@contextmanager
def locked(site):
    """Nobody else may write to the file."""
    with closing(sqlite3.connect(site.place / "rows.sqlite3", timeout=20, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            database.execute("ROLLBACK")


@contextmanager
def full(site):
    """Neither file may grow: what is written fails as on a disk that is full."""
    before = {part: resource.prlimit(process.pid, resource.RLIMIT_FSIZE) for part, process in site.parts.items()}
    for part, process in site.parts.items():
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, before[part][1]))
    try:
        yield
    finally:
        for part, process in site.parts.items():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before[part])


class Watched:
    """A node that, once it is `armed`, takes the database away at its baseline, and notes what it is sent then.

    It is an older one, without a check of its own: the GET after that question is the baseline.
    """

    def __init__(self, take_away):
        self.asked, self.posted, self.armed = threading.Event(), threading.Event(), threading.Event()

        is_checked = False

        def script(peer):
            nonlocal is_checked
            while request := peer.read_request():
                if request.path.startswith("/v1/bootstrap/validate/"):
                    is_checked = True
                    peer.send(answer(404, {}))
                    continue
                if request.method == "POST":
                    self.posted.set()
                elif is_checked and self.armed.is_set() and not self.asked.is_set():
                    take_away()
                    self.asked.set()
                peer.send(answer(200, IDLE))

        self.server = Server(script)
        self.address = str(self.server.endpoint.address)


class Taken(threading.Thread):
    """The database away, from `take` until `give_back`; in a thread of its own, because a lock belongs to one."""

    def __init__(self, outage, site):
        super().__init__(daemon=True)
        self._outage, self._site = outage, site
        self._wanted, self._taken, self._over = threading.Event(), threading.Event(), threading.Event()
        self.start()

    def run(self):
        self._wanted.wait()
        with self._outage(self._site):
            self._taken.set()
            self._over.wait()

    def take(self):
        self._wanted.set()
        self._taken.wait()

    def give_back(self):
        self._over.set()
        self._wanted.set()
        self.join()


@pytest.mark.parametrize(
    "outage", [full, pytest.param(locked, marks=pytest.mark.chaos)], ids=lambda each: each.__name__
)
def test_no_post_leaves_whose_intent_could_not_be_committed(site, outage):
    """Row 48: from the moment that the node is asked for its baseline nothing can be written any more."""
    with ExitStack() as stack:
        taken = Taken(outage, site)
        stack.callback(taken.give_back)
        node = Watched(taken.take)
        stack.callback(node.server.stop)
        worker, said = site.parts["worker"].pid, len(site.log("worker"))
        os.kill(worker, signal.SIGSTOP)
        try:
            attempt, _ = press_start(site, node, f"redis-{outage.__name__}.example.com")
            node.armed.set()
        finally:
            os.kill(worker, signal.SIGCONT)

        assert node.asked.wait(30)
        wait_until(lambda: "OperationalError" in site.log("worker")[said:], seconds=20)
        assert not node.posted.is_set()
        site.client.patience = 40  # a lock is waited for up to 20 s
        page, took = timed(lambda: site.client.post("/setup/", address=node.address, action="create_cluster"))
        assert site.client.status == 503, page
        assert "it cannot reach its database" in page
        assert took < 30
        assert not node.posted.is_set()

        taken.give_back()
        assert node.posted.wait(GOES_ON_WITHIN)
        site.client.post(f"/attempts/{attempt}/stop-watching/")
        assert site.refused() == []


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server of our own."""
    place = Path(mkdtemp(prefix="outage-postgres-"))
    with serving(place) as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(server):
    with TemporaryDirectory(prefix="outage-") as name, run_redis(Path(name)) as redis_url:
        site = Site(Path(name), redis_url, server.url)
        site.client = Client(site)
        yield site
        site.stop()


def pages(site, attempt):
    """Everything that somebody who is signed in, or a script, may be looking at."""
    person = {"Cookie": f"sessionid={site.client.cookies['sessionid']}"}
    script = {"Authorization": f"Bearer {site.token}"}
    paths = ["/", "/setup/", "/attempts/", f"/attempts/{attempt}/", f"/attempts/{attempt}/stream", "/admin/"]
    partials = [f"/attempts/{attempt}/panel/?after=0", "/attempts/health/?shown="]
    calls = ["/api/v1/attempts", f"/api/v1/attempts/{attempt}", f"/api/v1/attempts/{attempt}/events?after=0"]
    yield from ((path, person) for path in paths)
    yield from ((path, person | {"HX-Request": "true"}) for path in partials)
    yield from ((path, script) for path in calls)


@pytest.mark.chaos
@pytest.mark.parametrize("manner", ["fast", "immediate"])
@pytest.mark.parametrize("seconds", [0, 15])
def test_a_database_that_restarts_is_waited_for_and_whoever_asks_is_told_when_to_come_back(
    server, on_postgres, tmp_path, manner, seconds
):
    """Row 47: with an attempt under way, whose node works on meanwhile."""
    site = on_postgres
    with start_node(tmp_path / "node", pace=2.0) as node:
        attempt, _ = press_start(site, node, f"redis-{manner}-{seconds}.example.com")
        wait_until(lambda: attempt_of(site, attempt)["state"] == "in_progress", seconds=30)

        server.check("pg_ctl", "-D", "data", "-m", manner, "-w", "stop")
        stopped = time.monotonic()
        for path, headers in pages(site, attempt) if seconds else ():
            told = site.ask(path, **headers)
            assert (path, told.status) == (path, 503)
            assert int(told.headers["Retry-After"]) <= 10
            assert path.startswith("/api/") == (told.headers["Content-Type"] == "application/json")
        ready = json.loads(site.ask("/readyz").text)["checks"]
        assert (ready["database"]["ok"], ready["broker"]["ok"]) == (False, True)
        assert site.ask("/healthz").status == 200
        time.sleep(max(0.0, stopped + seconds - time.monotonic()))  # how long it is away is what is tried
        server.launch()

        wait_until(lambda: site.is_ready, seconds=GREEN_WITHIN)
        wait_until(lambda: attempt_of(site, attempt)["state"] == "succeeded", seconds=60)
        assert len(node.accepted()) == 1
    assert {path: site.ask(path, **headers).status for path, headers in pages(site, attempt) if "stream" not in path}
    assert site.refused() == []


@pytest.mark.chaos
def test_a_broadcaster_whose_question_never_comes_back_is_named_and_begins_anew(server, on_postgres, tmp_path):
    """The one process of the database's server that answers it is frozen; all others go on."""
    site = on_postgres
    with start_node(tmp_path / "node", pace=30.0) as node:
        attempt, _ = press_start(site, node, "redis-frozen.example.com")
        cookie = f"sessionid={site.client.cookies['sessionid']}"
        with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)) as connection:
            connection.request("GET", f"/attempts/{attempt}/stream", headers={"Cookie": cookie})
            with connection.getresponse() as stream:
                assert stream.readline().startswith(b"id:")
                frozen = busy_backend(server, 'FROM "attempts_attempt" WHERE "attempts_attempt"."id" IN')
                os.kill(frozen, signal.SIGSTOP)
                try:
                    assert b"event: again" in b"".join(iter(stream.readline, b""))
                    wait_until(
                        lambda: json.loads(site.ask("/readyz").text)["checks"]["broadcaster"]["ok"],
                        seconds=GREEN_WITHIN,
                    )
                finally:
                    os.kill(frozen, signal.SIGCONT)
        site.client.post(f"/attempts/{attempt}/stop-watching/")
    assert site.refused() == []


def busy_backend(server, words):
    """The process of the server that is asked a question with these words again and again, while it is idle.

    A request may have asked the same once, and left it in the pool; an idle process holds nothing that others need.
    """
    question = """SELECT pid, query_start FROM pg_stat_activity
        WHERE query LIKE %s AND state = 'idle' AND pid <> pg_backend_pid()"""
    with psycopg.connect(server.url, autocommit=True) as connection:
        first = {}

        def asked_anew():
            found = connection.execute(question, [f"%{words}%"]).fetchall()
            return [pid for pid, asked_at in found if first.setdefault(pid, asked_at) != asked_at]

        return wait_until(asked_anew, seconds=30)[0]
