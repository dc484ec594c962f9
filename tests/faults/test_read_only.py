"""The database file becomes read-only, as on a disk that fails."""

import os
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.conftest import Client
from tests.faults.databases import Sqlite
from tests.faults.deployment import Deployment
from tests.faults.outages.actions import GOES_ON_WITHIN, attempt_of, pages
from tests.project.processes import wait_until
from tests.redis_servers import running_redis
from tests.reference_node.running import start_node

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

# root writes whatever the modes say, unless it gives that right away
BOUND_BY_MODES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@pytest.fixture
def deployment(monkeypatch, file_with_tables):
    """With a `client` who is signed in; modes of files count for its parts, even if root runs the tests.

    Its worker freezes by itself before the tick that sends: when the node has validated the request.
    """
    monkeypatch.setenv("SETUP_WIZARD_FAILPOINTS", "record.committed=stop:2")
    if BOUND_BY_MODES and not shutil.which(BOUND_BY_MODES[0]):
        pytest.skip("root writes to every file here, and there is no setpriv")
    with TemporaryDirectory(prefix="read-only-") as folder, running_redis() as redis_url:
        rows = Sqlite(shutil.copy(file_with_tables, Path(folder) / "rows.sqlite3"))
        deployment = Deployment(Path(folder), redis_url, rows, before=BOUND_BY_MODES)
        try:
            deployment.client = Client(deployment)
            yield deployment
        finally:
            deployment.stop()


@contextmanager
def read_only(folder):
    for path in [*folder.iterdir(), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in [folder, *folder.iterdir()]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def wait_for_the_last_message(deployment, attempt):
    """Wait until the tick that sends the request is in the queue."""
    row = deployment.database.row
    wait_until(lambda: (found := row(attempt))["was_validated"] and found["enqueued_at"], seconds=30)


@pytest.mark.slow
def test_a_read_only_database_stops_posts_until_it_can_be_written_again(deployment, tmp_path):
    with start_node(tmp_path / "node", pace=0.3) as node:
        attempt = deployment.client.create(node.address)
        wait_for_the_last_message(deployment, attempt)
        asked = node.journal_lines()

        with read_only(deployment.place):
            os.kill(deployment.parts["worker"].pid, signal.SIGCONT)
            wait_until(lambda: "readonly database" in deployment.log("worker"), seconds=20)
            told = [
                deployment.ask(path, **headers) for path, headers in pages(deployment, attempt) if "stream" not in path
            ]
            page = deployment.client.post("/setup/", address=node.address, action="create_cluster")
            refused = deployment.client.status
            answer = deployment.call("/probe", {"address": "127.0.0.1:9"})  # counted, so it has to be written
            wait_until(lambda: deployment.ask("/readyz").status == 503, seconds=30)
            during = node.journal_lines()

        wait_until(lambda: attempt_of(deployment, attempt)["state"] == "succeeded", seconds=GOES_ON_WITHIN + 30)
        wait_until(lambda: deployment.is_ready, seconds=GOES_ON_WITHIN)

    assert during == asked
    assert (refused, answer.status) == (503, 503)
    assert "it cannot reach its database" in page
    assert answer.headers["Retry-After"]
    assert [each.status for each in told if not (each.status < 400 or each.headers["Retry-After"])] == []
    assert len(node.accepted()) == 1
    assert deployment.refused() == []
