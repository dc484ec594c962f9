"""The deployment for tests of outages of the queue or of a database file."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.conftest import Client
from tests.faults.databases import Sqlite
from tests.faults.deployment import Deployment, Proxy, Queue
from tests.reference_node.running import start_node


@pytest.fixture(scope="module")
def deployment(file_with_tables):
    """A deployment with its `queue` behind a `proxy`, and a signed-in `client`."""
    with TemporaryDirectory(prefix="outage-") as name, ExitStack() as stack:
        place = Path(name)
        queue = Queue(place)
        stack.callback(queue.kill)
        proxy = Proxy(queue.socket)
        stack.callback(proxy.close)
        rows = Sqlite(shutil.copy(file_with_tables, place / "rows.sqlite3"))
        deployment = Deployment(place, f"redis://127.0.0.1:{proxy.port}/0", rows)
        stack.callback(deployment.stop)
        deployment.queue, deployment.proxy, deployment.client = queue, proxy, Client(deployment)
        yield deployment


@pytest.fixture
def node(tmp_path):
    with start_node(tmp_path / "node", pace=0.3) as node:
        yield node
