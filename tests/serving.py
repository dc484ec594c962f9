"""The product, or another ASGI application, as a process for a browser, on a copy of tables."""

import base64
import json
import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

from tests.project import forks

CLONE = Path(__file__).resolve().parents[1]
PRODUCT = "setup_wizard.project.asgi:application"


def server_arguments(application):
    """The command that serves an application on any free port, as the product is served."""
    if application == PRODUCT:
        return ["-m", "setup_wizard.project.web", "--port", "0"]
    protocol = "setup_wizard.project.time_limits:TimedProtocol"
    return ["-m", "uvicorn", application, "--port", "0", "--http", protocol, "--timeout-graceful-shutdown", "5"]


OWN_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "setup_wizard.project.settings",
    "SECRET_KEY": "only-for-the-tests-0123456789-0123456789",
    "SETUP_WIZARD_CREDENTIAL_KEYS": base64.b64encode(bytes(range(32))).decode(),
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
}
"""What a process needs to run with the settings of the product."""


def migrate(url):
    """Make every table in the database at this URL, those of the demo too."""
    environment = os.environ | OWN_SETTINGS | {"DATABASE_URL": url, "SETUP_WIZARD_DEMO": "true"}
    forks.run(["manage.py", "migrate", "--no-input", "--verbosity", "0"], cwd=CLONE, env=environment)


def make_tables(path):
    """A SQLite database with every table, in one file, to be copied."""
    migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # without the log beside it
    return path


def on_tables(tables, place, **more):
    """The environment of a process with the tests' settings, on a copy of these tables in a directory."""
    rows = shutil.copy(tables, place / "rows.sqlite3")
    return os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": f"sqlite:///{rows}"} | more


def add_sample_data(environment):
    """Add people and 34 attempts to the tables of this environment; gives a session of each person."""
    printed = forks.run(["-m", "tests.history.sample_data"], cwd=CLONE, env=environment)
    return json.loads(printed.splitlines()[-1])


@contextmanager
def served(environment, application=PRODUCT):
    """Serve an application until the end, as it is served in production; gives its address."""
    server = forks.Fork(server_arguments(application), cwd=CLONE, env=environment, talks=True)
    with server.stdin, server.stdout as said:
        found = (re.search(r"running on (http://\S+)", line) for line in said)
        address = next(each[1] for each in found if each)
        rest = Thread(target=said.read)  # a full pipe would stop the server
        rest.start()
        try:
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            rest.join()
