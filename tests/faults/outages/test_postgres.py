"""The database server is away for a while: what gets which response, and what goes on afterwards."""

import http.client
import json
import os
import signal
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import psycopg
import pytest

from tests.faults.conftest import Client
from tests.faults.deployment import Deployment
from tests.faults.outages.actions import GREEN_WITHIN, attempt_of, pages, press_start
from tests.postgres import serving
from tests.project.processes import wait_until
from tests.redis_servers import running_redis
from tests.reference_node.running import start_node
from tests.serving import migrate

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server():
    place = Path(mkdtemp(prefix="outage-postgres-"))
    with serving(place) as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(server):
    with TemporaryDirectory(prefix="outage-") as name, running_redis() as redis_url:
        migrate(server.url)
        deployment = Deployment(Path(name), redis_url, server)
        deployment.client = Client(deployment)
        yield deployment
        deployment.stop()


@pytest.mark.chaos
@pytest.mark.parametrize("manner", ["fast", "immediate"])
@pytest.mark.parametrize("seconds", [0, 15])
def test_a_database_restart_is_waited_out_and_requests_get_retry_after(server, on_postgres, tmp_path, manner, seconds):
    """An attempt is running, and its node works on meanwhile."""
    deployment = on_postgres
    with start_node(tmp_path / "node", pace=2.0) as node:
        attempt, _ = press_start(deployment, node.address, f"redis-{manner}-{seconds}.example.com")
        wait_until(lambda: attempt_of(deployment, attempt)["state"] == "in_progress", seconds=30)

        server.check("pg_ctl", "-D", "data", "-m", manner, "-w", "stop")
        stopped = time.monotonic()
        for path, headers in pages(deployment, attempt) if seconds else ():
            told = deployment.ask(path, **headers)
            assert (path, told.status) == (path, 503)
            assert int(told.headers["Retry-After"]) <= 10
            assert path.startswith("/api/") == (told.headers["Content-Type"] == "application/json")
        ready = json.loads(deployment.ask("/readyz").text)["checks"]
        assert (ready["database"]["ok"], ready["broker"]["ok"]) == (False, True)
        assert deployment.ask("/healthz").status == 200
        time.sleep(max(0.0, stopped + seconds - time.monotonic()))  # how long it is away is what is tried
        server.launch()

        wait_until(lambda: deployment.is_ready, seconds=GREEN_WITHIN)
        wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=60)
        assert len(node.accepted()) == 1
    assert {
        path: deployment.ask(path, **headers).status
        for path, headers in pages(deployment, attempt)
        if "stream" not in path
    }
    assert deployment.refused() == []


@pytest.mark.chaos
def test_a_broadcaster_with_a_stuck_query_is_named_and_restarts(server, on_postgres, tmp_path):
    """The one process of the database's server that answers it is frozen; all others go on."""
    deployment = on_postgres
    with start_node(tmp_path / "node", pace=30.0) as node:
        attempt, _ = press_start(deployment, node.address, "redis-frozen.example.com")
        cookie = f"sessionid={deployment.client.cookies['sessionid']}"
        with closing(http.client.HTTPConnection("127.0.0.1", deployment.port, timeout=60)) as connection:
            connection.request("GET", f"/attempts/{attempt}/stream", headers={"Cookie": cookie})
            with connection.getresponse() as stream:
                assert stream.readline().startswith(b"id:")
                frozen = busy_backend(server, 'FROM "attempts_attempt" WHERE "attempts_attempt"."id" IN')
                os.kill(frozen, signal.SIGSTOP)
                try:
                    assert b"event: again" in b"".join(iter(stream.readline, b""))
                    wait_until(
                        lambda: json.loads(deployment.ask("/readyz").text)["checks"]["broadcaster"]["ok"],
                        seconds=GREEN_WITHIN,
                    )
                finally:
                    os.kill(frozen, signal.SIGCONT)
        deployment.client.post(f"/attempts/{attempt}/stop-watching/")
    assert deployment.refused() == []


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
