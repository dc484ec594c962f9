"""Fixtures of the fault tests: processes to kill, a client that fills in the pages, databases to read the rows from."""

import json
import os
import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from tests import http_requests
from tests.faults.databases import Postgres, Sqlite
from tests.faults.system import System
from tests.serving import migrate

PASSWORD = "Correct-horse-7-battery"


class Client:
    """A browser without JavaScript, which fills in forms."""

    patience = 15

    def __init__(self, demo):
        self.demo = demo
        self.cookies = {}
        self.get(demo.link)

    def get(self, path):
        return self._send("GET", path)

    def post(self, path, **fields):
        fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        return self._send("POST", path, urlencode(fields, doseq=True))

    def submit(self, page, path, **fields):
        """Post the form of a page, with its own values and these fields."""
        shown = {}
        for tag in re.findall(r"<input[^>]*>", page):
            given = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
            is_choice = given.get("type") in {"radio", "checkbox"}
            if "name" in given and given["name"] != "csrfmiddlewaretoken" and (not is_choice or " checked" in tag):
                shown[given["name"]] = given.get("value", "")
        shown |= {
            name: unescape(text).strip() for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>([^<]*)<', page)
        }
        return self.post(path, **(shown | fields))

    def _send(self, method, path, body=None, *, kind="application/x-www-form-urlencoded"):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = kind
        path = path.removeprefix(f"http://127.0.0.1:{self.demo.port}")
        answer = http_requests.ask(self.demo.port, path, method=method, body=body, seconds=self.patience, **headers)
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        location = answer.headers.get("Location")
        if answer.status in {301, 302} and location:
            return self.get(location)
        self.path, self.status, self.headers = path, answer.status, answer.headers
        return answer.text

    @property
    def browser_context(self):
        """What a context of Playwright needs to be signed in as this client is."""
        place = {"domain": "127.0.0.1", "path": "/"}
        cookies = [{"name": name, "value": value, **place} for name, value in self.cookies.items()]
        return {"storage_state": {"cookies": cookies}, "reduced_motion": "reduce"}

    def fill_in(self, node, cluster="redis-prod.example.com"):
        """Fill in the forms from the home page to the review; return the path of each step."""
        self.get("/setup/")
        page = self.post("/setup/", address=node, action="create_cluster")
        paths = {"action": self.path}
        page = self.submit(page, self.path, address=node, action="create_cluster")
        page = self.submit(page, paths["action"], address=node, action="create_cluster", **CHECKBOXES)
        paths["node"] = self.path
        page = self.submit(page, self.path)
        paths["cluster"] = self.path
        credentials = {"username": "admin@example.com", "password": PASSWORD, "password_again": PASSWORD}
        page = self.submit(page, self.path, name=cluster, **credentials)
        assert self.path.endswith("/review/"), page
        return paths | {"review": self.path}

    def create(self, node, cluster="redis-prod.example.com"):
        """Fill in the forms and press Start; return the attempt's id."""
        review = self.fill_in(node, cluster)["review"]
        self.submit(self.get(review), review, accept_permanent="on")
        return re.search(r"/attempts/([0-9a-f-]{36})/", self.path)[1]


CHECKBOXES = {"fingerprints_match": "on", "accept_new_certificate": "on"}


def accepted(node):
    """Return the bootstraps that the node accepted, by its own journal."""
    lines = map(json.loads, Path(node["journal"]).read_text().splitlines())
    return [line for line in lines if line.get("accepted")]


@pytest.fixture(scope="module")
def client(demo):
    return Client(demo)


@pytest.fixture(scope="module")
def rows(demo):
    return Sqlite(demo.path / "var" / "demo" / "demo.sqlite3")


KINDS = ["postgres"] if os.environ.get("DATABASE_URL", "").startswith("postgres") else ["sqlite"]
KINDS = os.environ.get("CHAOS_DATABASES", ",".join(KINDS)).split(",")
LONG = bool(os.environ.get("CHAOS"))
"""Whether every case runs, as in `make chaos`, and not only the selection of `make test`."""


def pytest_collection_modifyitems(config, items):
    """Leave out tests marked `chaos` except in `make chaos`: they take many minutes."""
    left_out = [] if LONG else [item for item in items if item.get_closest_marker("chaos")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", KINDS, scope="session")


def pytest_terminal_summary(terminalreporter):
    """Print a table at the end: what was done, and what was found."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    lines = [value for report in reports for name, value in getattr(report, "user_properties", []) if name == "chaos"]
    if lines:
        terminalreporter.section("what was done, and what was found")
        for database, done, found in sorted(set(map(tuple, lines))):
            terminalreporter.line(f"{database:<9} {done:<62} {found}")


@pytest.fixture
def note(record_property, kind):
    return lambda done, found: record_property("chaos", (kind, done, found))


@pytest.fixture(scope="session")
def template(kind, request):
    """What new databases are copied from: a SQLite file, or the name of a database on the server."""
    if kind == "sqlite":
        yield request.getfixturevalue("file_with_tables")
        return
    server, name = os.environ["DATABASE_URL"], f"template_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    migrate(urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
    yield name
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def new_database(kind, template, place):
    if kind == "postgres":
        return Postgres(os.environ["DATABASE_URL"], f"test_{uuid4().hex[:12]}", template)
    return Sqlite(shutil.copy(template, place / "system.sqlite3"))


@pytest.fixture
def system(kind, template, tmp_path):
    """A queue and a database; the test starts the processes."""
    with System(tmp_path, new_database(kind, template, tmp_path)) as system:
        system.queue()
        yield system
