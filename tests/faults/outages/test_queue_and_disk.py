"""The queue is away, or the disk full, for a while: what gets which response, and what goes on afterwards."""

import os
import re
import resource
import signal
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial

import pytest

from tests.faults.deployment import METRICS_TOKEN, timed
from tests.faults.outages.actions import (
    DOWN,
    GOES_ON_WITHIN,
    GREEN_WITHIN,
    REPORTED_WITHIN,
    STARTS_WITHIN,
    Watched,
    attempt_of,
    press_start,
)
from tests.project.processes import wait_until
from tests.reference_node.running import start_node

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def without_queue(deployment, manner):
    """Take the queue away; half open, its connections stand, and nobody hears what is sent on them or on new ones."""
    queue, proxy = deployment.queue, deployment.proxy
    go, come_back = {
        "killed": (queue.kill, queue.start),
        "frozen": (queue.freeze, queue.thaw),
        "half-open": (partial(proxy.swallow, new=True), proxy.pass_on),
    }[manner]
    go()
    try:
        yield
    finally:
        come_back()


def go_without(deployment, node, manner, seconds):
    """Press Start while the queue is away, and see everything go on when it is back."""
    with without_queue(deployment, manner):
        begun = time.monotonic()
        attempt, took = press_start(deployment, node.address, f"redis-{manner}-{seconds}.example.com")
        assert took < STARTS_WITHIN
        assert attempt_of(deployment, attempt)["state"] == "queued"
        assert "Queued" in deployment.client.get(f"/attempts/{attempt}/")
        wait_until(lambda: deployment.ask("/readyz").status == 503, seconds=REPORTED_WITHIN)
        wait_until(
            lambda: "queue" in deployment.troubles(deployment.client),
            seconds=REPORTED_WITHIN - (time.monotonic() - begun),
        )
        assert "setups pause until" in deployment.client.get(f"/attempts/{attempt}/").lower()
        time.sleep(max(0.0, begun + seconds - time.monotonic()))  # how long it is away is what is tried
        assert attempt_of(deployment, attempt)["state"] == "queued"
        assert node.accepted() == []
    back = time.monotonic()
    wait_until(lambda: attempt_of(deployment, attempt)["state"] != "queued", seconds=GOES_ON_WITHIN)
    wait_until(lambda: deployment.is_ready, seconds=GREEN_WITHIN - (time.monotonic() - back))
    wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=60)
    assert len(node.accepted()) == 1
    assert deployment.refused() == []


def test_start_answers_at_once_while_the_queue_is_frozen(deployment, node):
    go_without(deployment, node, "frozen", 0)


def test_metrics_of_web_include_the_measurements_of_workers(deployment, node):
    attempt, _ = press_start(deployment, node.address, "redis-measured.example.com")
    wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=60)

    def counted(series):
        told = deployment.ask("/metrics", Authorization=f"Bearer {METRICS_TOKEN}").text
        found = re.search(rf"^{re.escape(series)} (\S+)$", told, re.MULTILINE)
        return float(found[1]) if found else 0

    wait_until(lambda: counted('setup_wizard_tick_lateness_seconds_count{node="answering"}') >= 3, seconds=30)
    wait_until(
        lambda: counted('setup_wizard_node_exchange_seconds_count{call="submit",outcome="accepted"}') > 0, seconds=30
    )
    assert counted('setup_wizard_attempts{error_code="",reason="",state="succeeded"}') > 0
    assert counted('setup_wizard_up{part="worker"}') == 1


@pytest.mark.chaos
def test_several_workers_and_supervisors_do_the_work_once(deployment, tmp_path):
    """Three of each, all with the same name."""
    for number in (2, 3):
        deployment.run_worker(f"worker-{number}")
        deployment.run_supervisor(f"supervisor-{number}")
    try:
        with ExitStack() as stack:
            nodes = [stack.enter_context(start_node(tmp_path / f"node-{number}", pace=0.3)) for number in range(4)]
            attempts = [
                press_start(deployment, node.address, f"redis-many-{number}.example.com")[0]
                for number, node in enumerate(nodes)
            ]
            for attempt in attempts:
                wait_until(lambda each=attempt: attempt_of(deployment, each)["state"] == "succeeded", seconds=60)
            assert [len(node.accepted()) for node in nodes] == [1] * 4
            assert all(process.poll() is None for process in deployment.parts.values())
    finally:
        for number in (2, 3):
            for name in (f"worker-{number}", f"supervisor-{number}"):
                deployment.end(name)


@pytest.mark.chaos
@pytest.mark.parametrize("manner", ["killed", "frozen", "half-open"])
@pytest.mark.parametrize("seconds", [DOWN, 90])
def test_start_answers_at_once_however_long_the_queue_is_away(deployment, node, manner, seconds):
    go_without(deployment, node, manner, seconds)


@pytest.mark.chaos
def test_dead_connections_to_the_queue_are_noticed(deployment, node):
    """As after a failover: new ones work, the old ones swallow everything, so whatever was taken off is lost."""
    deployment.proxy.swallow(new=False)
    went = time.monotonic()

    attempt, took = press_start(deployment, node.address, "redis-failover.example.com")

    assert took < STARTS_WITHIN
    wait_until(lambda: attempt_of(deployment, attempt)["state"] != "queued", seconds=GOES_ON_WITHIN)
    wait_until(lambda: deployment.is_ready, seconds=GREEN_WITHIN - (time.monotonic() - went))
    wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=60)
    assert len(node.accepted()) == 1


@pytest.mark.chaos
def test_an_emptied_queue_costs_seconds_only(deployment, node):
    """FLUSHALL takes messages and the table of bindings along."""
    attempt = deployment.client.create(node.address, cluster="redis-flushed.example.com")
    over = threading.Event()

    def flush():
        while not over.wait(0.3):
            deployment.queue.say("FLUSHALL")

    flushing = threading.Thread(target=flush)
    flushing.start()
    try:
        wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=90)
    finally:
        over.set()
        flushing.join()
    assert len(node.accepted()) == 1


@pytest.mark.chaos
def test_a_frozen_web_process_answers_nothing_until_it_resumes(deployment):
    os.kill(deployment.parts["web"].pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            deployment.ask("/readyz", seconds=5)
    finally:
        os.kill(deployment.parts["web"].pid, signal.SIGCONT)
    wait_until(lambda: deployment.is_ready, seconds=GREEN_WITHIN)


@contextmanager
def locked(deployment):
    with closing(deployment.database.lock()):
        yield


@contextmanager
def full(deployment):
    """Neither file may grow: what is written fails as on a disk that is full."""
    before = {part: resource.prlimit(process.pid, resource.RLIMIT_FSIZE) for part, process in deployment.parts.items()}
    for part, process in deployment.parts.items():
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, before[part][1]))
    try:
        yield
    finally:
        for part, process in deployment.parts.items():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before[part])


@pytest.mark.parametrize(
    "outage", [full, pytest.param(locked, marks=pytest.mark.chaos)], ids=lambda each: each.__name__
)
def test_no_post_is_sent_whose_intent_could_not_be_committed(deployment, outage):
    """Nothing can be written from the moment the node is asked for its baseline."""
    with ExitStack() as stack, ExitStack() as away:
        node = Watched(lambda: away.enter_context(outage(deployment)))
        stack.callback(node.server.stop)
        worker, said = deployment.parts["worker"].pid, len(deployment.log("worker"))
        os.kill(worker, signal.SIGSTOP)
        try:
            attempt, _ = press_start(deployment, node.address, f"redis-{outage.__name__}.example.com")
            node.armed.set()
        finally:
            os.kill(worker, signal.SIGCONT)

        assert node.asked.wait(30)
        wait_until(lambda: "OperationalError" in deployment.log("worker")[said:], seconds=20)
        assert not node.posted.is_set()
        deployment.client.patience = 40  # a lock is waited for up to 20 s
        page, took = timed(lambda: deployment.client.post("/setup/", address=node.address, action="create_cluster"))
        assert deployment.client.status == 503, page
        assert "it cannot reach its database" in page
        assert took < 30
        assert not node.posted.is_set()

        away.close()
        assert node.posted.wait(GOES_ON_WITHIN)
        deployment.client.post(f"/attempts/{attempt}/stop-watching/")
        assert deployment.refused() == []


@pytest.mark.chaos
def test_start_behind_a_frozen_writer_is_refused_and_works_later(deployment, node):
    """A process that is stopped inside a transaction keeps SQLite's one lock for as long as it is stopped."""
    with ExitStack() as stack, ExitStack() as away:
        post, reviewed = deployment.client.post, []

        def post_while_locked(path, **fields):
            if path.endswith("/review/"):
                reviewed.append((path, fields))
                away.enter_context(locked(deployment))
            return post(path, **fields)

        deployment.client.patience = 40  # a lock is waited for up to 20 s
        stack.callback(setattr, deployment.client, "post", post)
        deployment.client.post = post_while_locked
        with suppress(TypeError):  # no attempt came of it, so there is no address of one to read
            deployment.client.create(node.address, cluster="redis-frozen.example.com")

        assert deployment.client.status == 503
        assert deployment.client.headers["Retry-After"] == "10"
        away.close()
        begun = "SELECT id FROM attempts_attempt WHERE cluster_name = 'redis-frozen.example.com'"
        assert deployment.database.read(begun) == []
        [(path, fields)] = reviewed
        post(path, **fields)
        attempt = re.search(r"/attempts/([0-9a-f-]{36})/", deployment.client.path)[1]
        wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=60)
        assert len(node.accepted()) == 1
        assert deployment.refused() == []
