"""A real worker at a real queue with a password: what it takes from there, and what it never does (W17)."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from kombu import Connection
from redis import AuthenticationError, Redis, RedisError

from setup_wizard.project.demo.broker import find_server
from tests.project.processes import free_port, wait_until

CLONE = Path(__file__).resolve().parents[2]
PREFIX = "setup_wizard:"


class Payload:
    """Makes a file wherever somebody unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def queue(tmp_path):
    """The address of a server that wants a password."""
    port = free_port()
    command = [find_server(os.environ), "--port", str(port), "--bind", "127.0.0.1", "--dir", tmp_path, "--save", ""]
    with subprocess.Popen(
        [*command, "--requirepass", "quiet-otters"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        url = f"redis://:quiet-otters@127.0.0.1:{port}/0"
        wait_until(lambda: server.poll() is not None or answers(url), seconds=20)
        yield url
        server.terminate()


def answers(url):
    try:
        with Redis.from_url(url) as client:
            return client.ping()
    except RedisError:
        return False


@pytest.fixture
def worker(queue, tmp_path):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "REDIS_URL": queue}
    environment["DATABASE_URL"] = f"sqlite:///{tmp_path / 'worker.sqlite3'}"
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=CLONE, env=environment, check=True, timeout=60)
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "setup_wizard.project", "worker", "-P", "threads", "-c", "2"]
    with (
        log.open("w") as stream,
        subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle"],
            cwd=CLONE,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        process.log = log
        yield process
        process.terminate()


def send(queue, body, **how):
    """Put a message where rings for ticks go."""
    with Connection(queue, transport_options={"global_keyprefix": PREFIX}) as connection:
        connection.SimpleQueue("celery").put(
            body, headers={"task": "setup_wizard.attempts.tasks.tick", "id": "b7a4cb4e"}, **how
        )


def test_a_pickled_message_is_refused_and_the_worker_goes_on(queue, worker, tmp_path):
    opened = tmp_path / "opened"
    pickle.loads(pickle.dumps(Payload(opened)))
    assert opened.exists()  # so that the payload would work
    opened.unlink()
    unknown = "5b3f3c52-4a5e-4a1d-9a3d-0e1d8c5f2a11"

    send(queue, ((Payload(opened),), {}, {}), serializer="pickle")
    send(queue, ((unknown,), {}, {}), serializer="json")

    with Redis.from_url(queue) as client:
        wait_until(lambda: "pickle" in worker.log.read_text(), seconds=60)
        wait_until(lambda: not client.llen(f"{PREFIX}celery") and not client.hlen(f"{PREFIX}unacked"), seconds=30)
    assert not opened.exists()
    assert worker.poll() is None


def test_the_queue_without_its_password_is_closed(queue):
    with Redis.from_url(queue.replace(":quiet-otters@", "")) as client, pytest.raises(AuthenticationError):
        client.ping()


@pytest.mark.django_db
def test_a_worker_that_was_never_rung_for_is_well_while_its_queue_answers(queue, settings):
    settings.REDIS_URL = queue

    call_command("pulse", "worker")
