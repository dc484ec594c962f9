"""Secrets to send through every form, nodes that quote them, and every place in which they must not turn up."""

import base64
import json
import secrets
import threading
from contextlib import suppress
from pathlib import Path

import redis
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore

from tests.faults.conftest import Client
from tests.nodes.servers import IDLE, Server, answer
from tests.spellings import SPELLINGS, leaks

FACTS = IDLE["local_node_info"] | {
    "available_addresses": [{"address": "127.0.0.1", "format": "ipv4", "if_name": "lo", "private": True}],
    "persistent_storage_path": "/var/opt/redislabs/persist",
    "ephemeral_storage_path": "/var/opt/redislabs/tmp",
}
CLUSTER = "redis-prod.example.com"
UNREGISTERED = {"django_migrations"}
"""Tables without a model."""
SEARCH_INDEX = {
    "attempts_search",
    *(f"attempts_search_fts{part}" for part in ("", "_config", "_data", "_docsize", "_idx")),
}
"""Those of SQLite's search index."""


def make_canary(name):
    """Make a secret that is strong, has characters of every kind, and names the form that it was typed into."""
    return f"CANARY-{name}/{secrets.token_hex(4)}'<é\"&"


class QuotingNode:
    """A node that quotes every secret that it ever got, in each of the ten spellings, wherever it may use words."""

    def __init__(self):
        self.heard, self.state, self.refuses, self.runs = [], "idle", False, 0
        self.is_listed, self.is_fit = False, True
        self.server = Server(self._serve)
        self.address, self.bind = str(self.server.address), "127.0.0.1"

    @property
    def fingerprint(self):
        return self.server.identity.certificate.fingerprint

    def _serve(self, peer):
        while request := peer.read_request():
            self._hear(request)
            if request.method == "POST":
                peer.send(self._answer_to_post(request))
            elif request.path == "/v1/bootstrap":
                peer.send(answer(200, {"local_node_info": FACTS, "bootstrap_status": self._status()}))
            elif request.path == "/v1/nodes" and self.is_listed:
                peer.send(answer(200, [{"uid": 1, "status": "active", "addr": self.bind, **self._quotes()}]))
            elif request.path == "/v1/cluster/check" and self.is_listed:
                peer.send(answer(200, self._checked()))
            else:
                name = CLUSTER if self.is_listed else f"cluster of {' '.join(self.heard)}"
                peer.send(answer(200, {"name": name, "detail": self._quotes()}))

    def _hear(self, request):
        found = json.loads(request.body or b"{}").get("credentials", {})
        words = [found.get("password"), found.get("client_key")]
        if basic := request.headers.get("authorization", "").removeprefix("Basic "):
            words.append(base64.b64decode(basic).decode().partition(":")[2])
        self.heard += [word for word in words if word and word not in self.heard]

    def _answer_to_post(self, request):
        if "/validate/" in request.path:
            return answer(406, self._failed()) if self.refuses else answer(404)
        self.state, self.runs = "creating_cluster", self.runs + 1
        return answer(200, body=b"")

    def _status(self):
        if self.state == "error":
            return self._failed() | {"start_time": f"2026-11-23T14:02:0{self.runs}Z"}
        return {"state": self.state} | ({"start_time": f"2026-11-23T14:02:0{self.runs}Z"} if self.runs else {})

    def _checked(self):
        errors = [
            f"the blue otters of {variants(secret)[0]}" for secret in self.heard for variants in SPELLINGS.values()
        ]
        nodes = [{"node_uid": uid, "result": False, "error": error} for uid, error in enumerate(errors, start=1)]
        return {"cluster_test_result": self.is_fit, "nodes": [] if self.is_fit else nodes}

    def _failed(self):
        details = {"message": f"the blue otters refuse {' and '.join(self.heard)}", **self._quotes()}
        return {"state": "error", "error_code": "config_error", "error_details": details}

    def _quotes(self):
        return {
            f"{name} {place}": variants(secret)[0]
            for place, secret in enumerate(self.heard)
            for name, variants in SPELLINGS.items()
        }


class Recorder(Client):
    """A browser that remembers every page it got."""

    def __init__(self, deployment, *, link=""):
        self.pages = []
        self.demo, self.cookies = deployment, {}
        self.get(link or "/sign-in/")

    def upload(self, path, files, **fields):
        """Post a form with files."""
        fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        parts = [(f'name="{name}"', text) for name, text in fields.items()]
        parts += [(f'name="{name}"; filename="{name}.pem"', text) for name, text in files.items()]
        body = "".join(f"--parts\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts)
        return self._send("POST", path, f"{body}--parts--\r\n", kind="multipart/form-data; boundary=parts")

    def _send(self, method, path, body=None, **rest):
        text = super()._send(method, path, body, **rest)
        self.pages.append(text)
        return text


class Traffic:
    """Every command that the queue gets, and every key that it holds."""

    def __init__(self, url):
        self.url, self.heard = url, []
        self.client = redis.Redis.from_url(url)
        self.monitor = self.client.monitor()
        self.monitor.__enter__()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with suppress(redis.RedisError, OSError, ValueError, AttributeError):  # closed at the end
            while True:
                self.heard.append(self.monitor.next_command()["command"])

    def bytes(self):
        with redis.Redis.from_url(self.url) as client:
            keys = [key + b"\n" + (client.dump(key) or b"") for key in client.scan_iter()]
            values = [client.get(key) or b"" for key in client.scan_iter() if client.type(key) == b"string"]
        return b"\n".join([*keys, *values, *(command.encode() for command in self.heard)])


def known_tables(database):
    """The tables of every model, of every relation between two, and of the search index if there are any."""
    models = apps.get_models(include_auto_created=True)
    tables = {model._meta.db_table for model in models if model._meta.managed}
    return tables | UNREGISTERED | (SEARCH_INDEX & database.tables())


def read_tables(database, tables):
    """Every value of every row of these tables, as bytes."""
    found = {}
    for table in tables:
        rows = database.read(f'SELECT * FROM "{table}"')
        found[f"table {table}"] = b"\n".join(_as_bytes(value) for row in rows for value in row.values())
    return found


def read_sessions(database):
    rows = database.read("SELECT session_data FROM django_session")
    return json.dumps([SessionStore().decode(row["session_data"]) for row in rows], ensure_ascii=False).encode()


def read_processes(pids):
    """Command lines and environments of processes and of all that they started."""
    content = []
    for pid in _with_children(pids):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                content.append(Path(f"/proc/{pid}/{name}").read_bytes())
    return b"\n".join(content)


def read_files(directory):
    """Each file below a directory; files that go away meanwhile are left out."""
    found = {}
    for path in sorted(directory.rglob("*")):
        with suppress(OSError):
            if path.is_file():
                found[f"file {path.relative_to(directory)}"] = path.read_bytes()
    return found


def find(places, canaries):
    """Say which secret is in which place, and in which spellings."""
    return {
        (place, name): found
        for place, content in places.items()
        for name, secret in canaries.items()
        if (found := leaks(content, secret))
    }


def _as_bytes(value):
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    # a server's own JSON comes back parsed
    return (json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)).encode()


def _with_children(pids):
    for pid in pids:
        yield pid
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                yield from _with_children(map(int, (task / "children").read_text().split()))
