"""A worker at a queue with a password: what it accepts, and what it drops."""

import base64
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from kombu import Connection
from redis import Redis, RedisError

from setup_wizard.project.demo.broker import find_server
from tests.project.processes import free_port, wait_until

CLONE = Path(__file__).resolve().parents[2]
PREFIX = "setup_wizard:"


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def queue(tmp_path):
    """The URL of a server with a password."""
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
    """Put a message into the queue of the ticks."""
    with Connection(queue, transport_options={"global_keyprefix": PREFIX}) as connection:
        connection.SimpleQueue("celery").put(
            body, headers={"task": "setup_wizard.worker.tasks.tick", "id": "b7a4cb4e"}, **how
        )


def test_a_worker_refuses_a_pickled_message_and_continues(queue, worker, tmp_path):
    opened = tmp_path / "opened"
    pickle.loads(pickle.dumps(Payload(opened)))
    assert opened.exists()  # the payload needs it
    opened.unlink()
    unknown = "5b3f3c52-4a5e-4a1d-9a3d-0e1d8c5f2a11"

    send(queue, ((Payload(opened),), {}, {}), serializer="pickle")
    send(queue, ((unknown,), {}, {}), serializer="json")

    with Redis.from_url(queue) as client:
        wait_until(lambda: "malformed" in worker.log.read_text(), seconds=60)
        wait_until(lambda: not client.llen(f"{PREFIX}celery") and not client.hlen(f"{PREFIX}unacked"), seconds=30)
    assert not opened.exists()
    assert worker.poll() is None


@pytest.mark.django_db
def test_an_idle_worker_is_healthy_while_its_queue_responds(queue, settings):
    settings.REDIS_URL = queue

    call_command("pulse", "worker")


BODY = base64.b64encode(json.dumps([["5b3f3c52-4a5e-4a1d-9a3d-0e1d8c5f2a11"], {}, {}]).encode()).decode()
TICK = "setup_wizard.worker.tasks.tick"


def envelope(**changes):
    """A message as in the queue; a change to None removes a field."""
    properties = {
        "correlation_id": "1",
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": "celery"},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
    }
    whole = {
        "body": BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TICK, "id": str(uuid4()), "root_id": None, "retries": 0, "argsrepr": "()"},
        "properties": properties,
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return json.dumps({name: value for name, value in whole.items() if value is not None})


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


MALFORMED = {
    "not JSON": "{",
    "empty": "",
    "bytes": b"\xff\xfe\x00",
    "a number": "7",
    "a list": "[1, 2]",
    "a word": '"tick"',
    "null": "null",
    "an empty object": "{}",
    "no body": envelope(body=None),
    "no properties": envelope(properties=None),
    "empty properties": envelope(properties={}),
    "no delivery info": envelope(properties={"delivery_tag": "x", "body_encoding": "base64"}),
    "properties in a list": envelope(properties=[]),
    "no headers": envelope(headers=None),
    "empty headers": envelope(headers={}),
    "headers in a list": envelope(headers=[1]),
    "an unknown task": envelope(headers={"task": "os.system", "id": "1"}),
    "a task without an id": envelope(headers={"task": TICK}),
    "an id that is a list": envelope(headers={"task": TICK, "id": [1]}),
    "a task in a list": envelope(headers={"task": [TICK], "id": "1"}),
    "a date that is none": envelope(headers={"task": TICK, "id": "1", "eta": "yesterday", "expires": "soon"}),
    "a time limit of words": envelope(headers={"task": TICK, "id": "1", "timelimit": "soon"}),
    "no content type": envelope(content_type=None),
    "pickle": envelope(content_type="application/x-python-serialize", content_encoding="binary"),
    "yaml": envelope(content_type="application/x-yaml"),
    "an unknown encoding": envelope(content_encoding="utf-99"),
    "an unknown body encoding": envelope(
        properties={"body_encoding": "rot13", "delivery_tag": "y", "delivery_info": {}}
    ),
    "a body that is no base64": envelope(body="%%%"),
    "a body that is no JSON": envelope(body=base64.b64encode(b"{").decode()),
    "a body of null": envelope(body=encoded(None)),
    "a body of one list": envelope(body=encoded([1])),
    "arguments that are none": envelope(body=encoded([7, 8, 9])),
    "too many arguments": envelope(body=encoded([["a", "b"], {"c": 1}, {}])),
    "no arguments": envelope(body=encoded([[], {}, {}])),
    "an attempt that is none": envelope(body=encoded([["not-a-number"], {}, {}])),
    "an attempt that is a list": envelope(body=encoded([[["x"]], {}, {}])),
    "a callback of words": envelope(body=encoded([["5b3f3c52-4a5e-4a1d-9a3d-0e1d8c5f2a11"], {}, {"callbacks": "x"}])),
    "deep": "[" * 100_000,
}


def test_a_worker_drops_a_malformed_message_and_continues(queue, worker):
    with Redis.from_url(queue) as client:
        for number, taken in enumerate(("{", "[]", "7", "[1, 2, 3]", '[{}, "", ""]')):  # by a worker that has ended
            client.hset(f"{PREFIX}unacked", f"tag-{number}", taken)
            client.zadd(f"{PREFIX}unacked_index", {f"tag-{number}": 1})
        for name, message in MALFORMED.items():
            client.lpush(f"{PREFIX}celery", message)
            wait_until(lambda: worker.poll() is not None or not client.llen(f"{PREFIX}celery"), seconds=60)
            assert worker.poll() is None, (name, worker.log.read_text()[-3000:])
        client.lpush(
            f"{PREFIX}celery",
            envelope(headers={"task": "setup_wizard.worker.tasks.canary", "id": "2"}, body=encoded([[], {}, {}])),
        )
        wait_until(lambda: not client.llen(f"{PREFIX}celery") and not client.hlen(f"{PREFIX}unacked"), seconds=60)

    assert worker.poll() is None
    assert "a malformed message in the queue was dropped" in worker.log.read_text()
