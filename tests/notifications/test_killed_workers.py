"""A worker killed at any point: nothing is lost, and a repetition has the same id."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from setup_wizard.failpoints import Point
from tests.notifications.receivers import accepting
from tests.serving import CLONE, on_tables

pytestmark = pytest.mark.faults

POINTS = [Point.NOTICE_SENT, Point.NOTICE_COMMIT, Point.NOTICE_CLAIMED]
SENT_TWICE = {Point.NOTICE_SENT}


@pytest.fixture
def run(file_with_tables, tmp_path, authority):
    environment = on_tables(file_with_tables, tmp_path, SSL_CERT_FILE=str(authority.path))

    def run(*words):
        command = [sys.executable, "-m", "tests.notifications.deliver_and_die", *words]
        return subprocess.run(command, cwd=CLONE, env=environment, capture_output=True, text=True, check=False)

    return run


def ask(directory, statement):
    with closing(sqlite3.connect(directory / "rows.sqlite3")) as database, database:
        return database.execute(statement).fetchall()


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.value)
def test_message_of_a_killed_worker_is_delivered_by_the_next(run, receive, tmp_path, point):
    receiver = receive(accepting)
    assert run("fill", receiver.url()).returncode == 0

    died = run("work", f"{point.value}=kill")
    # as if the time had passed for which a try may hold its row
    ask(tmp_path, "UPDATE notifications_delivery SET busy_until = NULL, enqueued_at = NULL")
    again = run("work")

    assert died.returncode == -signal.SIGKILL, died.stderr
    assert again.returncode == 0, again.stderr
    [(state, message_id)] = ask(tmp_path, "SELECT state, message_id FROM notifications_delivery")
    assert state == "delivered"
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert ids == [message_id] * (2 if point in SENT_TWICE else 1)


def test_row_of_a_killed_worker_stays_with_it_until_its_time_is_over(run, receive, tmp_path):
    receiver = receive(accepting)
    run("fill", receiver.url())
    run("work", f"{Point.NOTICE_SENT.value}=kill")

    assert run("work").returncode == 0

    assert len(receiver.requests) == 1
    assert ask(tmp_path, "SELECT state FROM notifications_delivery") == [("waiting",)]
