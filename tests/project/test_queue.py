"""A worker at a queue with a password: what it accepts, and what it drops."""

import base64
import json
import pickle
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from kombu import Connection
from redis import Redis

from setup_wizard.project.broker_url import celery_broker_url
from tests.project import forks
from tests.project.processes import wait_until
from tests.redis_servers import running_redis
from tests.serving import CLONE, on_tables

PREFIX = "setup_wizard:"


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def queue():
    """The URL of a server with a password."""
    with running_redis() as url:
        with Redis.from_url(url) as client:
            client.config_set("requirepass", "quiet-otters")
        yield url.replace("://", "://:quiet-otters@")


@pytest.fixture
def worker(queue, tmp_path, file_with_tables):
    words = ["-m", "celery", "-A", "setup_wizard.project", "worker", "-P", "threads", "-c", "2"]
    environment, log = on_tables(file_with_tables, tmp_path, REDIS_URL=queue), tmp_path / "worker.log"
    process = forks.Fork([*words, "--without-gossip", "--without-mingle"], cwd=CLONE, env=environment, log=log)
    process.log = log
    yield process
    process.kill()
    process.wait(20)


def send(queue, body, **how):
    """Put a message into the queue of the ticks."""
    with Connection(celery_broker_url(queue), transport_options={"global_keyprefix": PREFIX}) as connection:
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


PARTS = ("body", "properties", "headers", "content_type", "content_encoding")
MALFORMED = {
    **{repr(whole): whole for whole in ("{", "", b"\xff\xfe\x00", "7", "[1, 2]", '"tick"', "null", "{}")},
    **{f"{part}: {value}": envelope(**{part: value}) for part in PARTS for value in (None, {}, [1], "x", 7)},
    **{f"task: {task}": envelope(headers={"task": task, "id": "1"}) for task in ("os.system", [TICK], None)},
    **{f"id: {number}": envelope(headers={"task": TICK, "id": number}) for number in (None, [1])},
    **{f"arguments: {each}": envelope(body=encoded(each)) for each in (None, [1], [7, 8, 9], [[], {}, {}])},
    **{f"attempt: {attempt}": envelope(body=encoded([[attempt], {}, {}])) for attempt in ("not-a-number", ["x"])},
    "a task without an id": envelope(headers={"task": TICK}),
    "a date that is none": envelope(headers={"task": TICK, "id": "1", "eta": "yesterday", "expires": "soon"}),
    "a time limit of words": envelope(headers={"task": TICK, "id": "1", "timelimit": "soon"}),
    "no delivery info": envelope(properties={"delivery_tag": "x", "body_encoding": "base64"}),
    "an unknown body encoding": envelope(
        properties={"body_encoding": "rot13", "delivery_tag": "y", "delivery_info": {}}
    ),
    "pickle": envelope(content_type="application/x-python-serialize", content_encoding="binary"),
    "yaml": envelope(content_type="application/x-yaml"),
    "a body that is no JSON": envelope(body=base64.b64encode(b"{").decode()),
    "too many arguments": envelope(body=encoded([["a", "b"], {"c": 1}, {}])),
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
