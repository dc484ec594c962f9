"""Web processes on one database, and simultaneous sign-ins."""

import http.client
import re
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Barrier, Thread
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from setup_wizard.access.hashing import Argon2Hasher
from tests.project import forks
from tests.serving import CLONE, on_tables

CSRF = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Web:
    """A running web process; a call opens a connection to it."""

    pid: int
    port: int | None
    address: str

    def __call__(self):
        if self.port is None:
            return UnixConnection(self.address)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def environment_of(tables, place, database_url, **more):
    """The environment of web processes: the tests' database on PostgreSQL, a copy of the tables otherwise.

    They have the product's own settings: with the tests' fast hasher there is little to overlap.
    """
    environment = on_tables(tables, place, **more) | {"DJANGO_SETTINGS_MODULE": "setup_wizard.project.settings"}
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        environment["DATABASE_URL"] = urlsplit(database_url)._replace(path=f"/{name}").geturl()
    return environment


def add_user(environment, name, password):
    """Add an account to the database of the web processes."""
    if connection.vendor == "postgresql":
        User.objects.create(username=name, password=make_password(password, hasher=Argon2Hasher()))
        return
    row = {
        "username": name,
        "password": make_password(password, hasher=Argon2Hasher()),
        "is_superuser": False,
        "is_staff": False,
        "is_active": True,
        "first_name": "",
        "last_name": "",
        "email": "",
        "date_joined": timezone.now().isoformat(" "),
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with closing(sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///"))) as rows, rows:
        rows.execute(f"INSERT INTO auth_user ({names}) VALUES ({marks})", list(row.values()))


@contextmanager
def web_process(environment, *words):
    """Run one web process."""
    words = words or ("--port", "0")
    server = forks.Fork(["-m", "setup_wizard.project.web", *words], cwd=CLONE, env=environment, talks=True)
    with server.stdin, server.stdout as output:
        found = (re.search(r"running on (?:unix socket )?(\S+)", line) for line in output)
        address = next(each[1] for each in found if each)
        rest = Thread(target=output.read)  # a full pipe would stop the server
        rest.start()
        port = urlsplit(address).port if address.startswith("http") else None
        try:
            yield Web(server.pid, port, address)
        finally:
            server.send_signal(15)
            server.wait(20)
            rest.join()


def post(connect, path, fields, *, forwarded_for=""):
    """Post a form; returns the status code."""
    headers = {
        "Host": "127.0.0.1",
        "Cookie": f"csrftoken={CSRF}",
        "Content-Type": "application/x-www-form-urlencoded",
        **({"X-Forwarded-For": forwarded_for} if forwarded_for else {}),
    }
    client = connect()
    with closing(client):
        client.request("POST", path, urlencode({"csrfmiddlewaretoken": CSRF, **fields}), headers)
        answer = client.getresponse()
        answer.read()
        return answer.status


def at_once(calls):
    """Make all calls at once; returns their results."""
    together = Barrier(len(calls))

    def make(call):
        together.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))
