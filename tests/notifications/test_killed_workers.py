"""A worker killed at any point: nothing is lost, and a repetition has the same id."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from threading import Event

import pytest

from setup_wizard.failpoints import Point
from setup_wizard.notifications.deliveries import BUSY
from tests.notifications.receivers import accepting
from tests.serving import CLONE, on_tables

pytestmark = pytest.mark.faults

POINTS = [Point.NOTICE_SENT, Point.NOTICE_COMMIT, Point.NOTICE_CLAIMED]
SENT_TWICE = {Point.NOTICE_SENT}


@pytest.fixture
def start(file_with_tables, tmp_path, authority):
    """Start a process on the rows of this test; it is killed at the end."""
    environment = on_tables(file_with_tables, tmp_path, SSL_CERT_FILE=str(authority.path))
    started = []

    def start(*words):
        command = [sys.executable, "-m", "tests.notifications.deliver_and_die", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=CLONE, env=environment, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run(start):
    def run(*words):
        process = start(*words)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    return run


def ask(directory, statement):
    with closing(sqlite3.connect(directory / "rows.sqlite3")) as database, database:
        return database.execute(statement).fetchall()


def let_pass(directory, seconds):
    """Move the times of every delivery to the past, as if this much time had passed."""
    moved = ", ".join(
        f"{column} = strftime('%Y-%m-%d %H:%M:%f', {column}, '-{seconds} seconds')"
        for column in ("busy_until", "enqueued_at", "next_try_at", "tried_at")
    )
    ask(directory, f"UPDATE notifications_delivery SET {moved}")


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


def test_worker_killed_while_the_receiver_hangs_is_replaced_once(start, run, receive, tmp_path):
    arrived, killed = Event(), Event()

    def hang_once(peer):
        if killed.is_set():
            return accepting(peer)
        peer.read_request()
        arrived.set()
        return killed.wait(60)

    receiver = receive(hang_once)
    run("fill", receiver.url())
    worker = start("work")
    assert arrived.wait(60)
    worker.kill()
    worker.wait()
    killed.set()

    let_pass(tmp_path, BUSY.total_seconds() - 10)
    assert run("work").returncode == 0
    assert len(receiver.requests) == 1  # its lease lasts

    let_pass(tmp_path, 10)
    for _ in range(2):
        assert run("work").returncode == 0
    [(state, message_id, tries)] = ask(tmp_path, "SELECT state, message_id, tries FROM notifications_delivery")
    assert (state, tries) == ("delivered", 2)
    assert [request.headers["webhook-id"] for request in receiver.requests] == [message_id] * 2
