"""The product, or another ASGI application, as a process for a browser, on a copy of an empty database."""

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
    """Make a SQLite database with every table and no rows of ours, in one file that can be copied; gives its path."""
    migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # without a log in a second file
    return path


def on_tables(empty_database, directory, **more):
    """Copy an empty database to `rows.sqlite3` in a directory; gives the environment of a process that uses the copy.

    The process has the tests' settings, unless `more` says otherwise.
    """
    database = shutil.copy(empty_database, directory / "rows.sqlite3")
    return os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": f"sqlite:///{database}"} | more


def add_sample_data(environment):
    """Add people, attempts, a run, a cluster and a webhook to the database of this environment.

    Gives a session key of each person by their name, and what fills in paths such as "/attempts/{moving}/".
    """
    printed = forks.run(["-m", "tests.history.sample_data"], cwd=CLONE, env=environment)
    return json.loads(printed.splitlines()[-1])


@contextmanager
def served(environment, application=PRODUCT):
    """Serve an application as in production, until the block ends; gives its address."""
    server = forks.Fork(server_arguments(application), cwd=CLONE, env=environment, talks=True)
    with server.stdin, server.stdout as output:
        found = (re.search(r"running on (http://\S+)", line) for line in output)
        address = next(each[1] for each in found if each)
        reader = Thread(target=output.read)  # a full pipe would stop the server
        reader.start()
        try:
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            reader.join()
