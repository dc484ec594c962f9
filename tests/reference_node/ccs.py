"""A node's Valkey, asked as its administrator would: over its port, with the cluster's credentials."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .conftest import MARIA


def own_entry(directory: Path) -> dict:
    """What a node keeps of itself."""
    membership = json.loads((directory / "node.json").read_text())["membership"]
    return next(entry for entry in membership["members"] if entry["uid"] == membership["uid"])


@contextmanager
def sign_in(directory: Path, password: str = MARIA[1], username: str = MARIA[0]) -> Iterator[Redis]:
    """Talk to the server of the node that lives in a directory; with empty credentials as nobody in particular."""
    entry = own_entry(directory)
    once = Retry(NoBackoff(), 0)
    with Redis(
        host=entry["addr"],
        port=entry["ccs_port"],
        username=username.encode().hex() or None,
        password=password or None,
        retry=once,
        decode_responses=True,
    ) as client:
        yield client


def server_pid(directory: Path) -> int:
    with sign_in(directory) as client:
        return client.info("server")["process_id"]
