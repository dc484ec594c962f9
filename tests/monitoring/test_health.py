"""W18: each part is judged by what it does; the pages name the one that does not."""

import os
import socket
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueError

from setup_wizard.attempts import timing
from setup_wizard.monitoring import health, heartbeats
from setup_wizard.monitoring.models import Heartbeat
from setup_wizard.project.demo.broker import find_server, server_arguments
from setup_wizard.worker import tasks
from setup_wizard.worker.supervisor import Supervisor
from tests.project.processes import wait_until

pytestmark = pytest.mark.django_db

POLL = {"HX-Request": "true"}


def beat(part, age=timedelta(0), **more):
    Heartbeat.objects.update_or_create(part=part, defaults={"at": timezone.now() - age, **more})


@pytest.fixture
def all_well():
    beat(heartbeats.SUPERVISOR)
    beat(heartbeats.WORKER)


@pytest.fixture
def browser(maria):
    browser = Client()
    browser.force_login(maria)
    return browser


@pytest.fixture(scope="module")
def valkey():
    """The server that the demo runs too; its socket."""
    with TemporaryDirectory(prefix="health-") as place:
        server = Path(place) / "valkey.sock"
        command = server_arguments(find_server(os.environ), server, Path(place))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            wait_until(server.exists)
            yield server
            process.terminate()


@pytest.fixture
def broker(settings, valkey):
    settings.REDIS_URL = f"unix://{valkey}?db=0"


def parts_of(answer):
    return {part: check["ok"] for part, check in answer.json()["checks"].items()}


def test_ready_when_every_part_works(client, all_well, broker):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert parts_of(answer) == {
        "database": True,
        "broker": True,
        "supervisor": True,
        "worker": True,
        "broadcaster": True,
    }
    assert all(isinstance(check["ms"], float) for check in answer.json()["checks"].values())


@pytest.mark.parametrize(
    ("part", "age", "ok"),
    [("supervisor", 14, True), ("supervisor", 16, False), ("worker", 14, True), ("worker", 16, False)],
)
@pytest.mark.usefixtures("all_well", "broker")
def test_a_part_that_was_silent_for_too_long_is_not_ready(client, part, age, ok):
    beat(part, timedelta(seconds=age))

    answer = client.get("/readyz")

    assert parts_of(answer)[part] is ok
    assert answer.status_code == (200 if ok else 503)


def test_a_part_that_was_never_seen_is_not_ready(client, broker):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"
    assert parts_of(answer) == {
        "database": True,
        "broker": True,
        "supervisor": False,
        "worker": False,
        "broadcaster": True,
    }


def test_a_broker_that_refuses_is_not_ready(client, all_well, settings):
    settings.REDIS_URL = "redis://maria:hunter2@127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert parts_of(answer)["broker"] is False
    assert "hunter2" not in answer.text


def test_a_broker_that_is_frozen_is_told_within_a_second(client, all_well, settings):
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        settings.REDIS_URL = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        begun = time.monotonic()

        answer = client.get("/readyz")

    assert parts_of(answer)["broker"] is False
    assert time.monotonic() - begun < timing.BROKER_ANSWER + 3  # the machine may be busy


def test_neither_probe_wants_a_sign_in_or_takes_anything_but_a_look(client, all_well, broker):
    assert client.get("/healthz").text == "ok"
    assert client.head("/readyz").status_code == 200
    assert client.post("/readyz").status_code == 405


def test_neither_is_sent_to_https_by_a_probe_that_runs_beside_the_process(client, all_well, broker, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/setup/").status_code == 301


def test_the_worker_is_seen_by_a_canary_that_it_ran():
    assert [trouble.part for trouble in health.troubles()] == ["supervisor"]
    beat(heartbeats.SUPERVISOR)
    assert [trouble.part for trouble in health.troubles()] == ["worker"]

    tasks.canary()

    assert health.troubles() == []


def test_a_worker_that_took_nothing_for_a_quarter_of_a_minute_is_named(all_well):
    beat(heartbeats.WORKER, timing.CANARY_STALE + timedelta(seconds=1))

    assert [trouble.part for trouble in health.troubles()] == ["worker"]


def test_a_queue_that_is_away_is_named_rather_than_the_worker_behind_it(all_well):
    beat(heartbeats.WORKER, timedelta(minutes=5))
    beat(heartbeats.SUPERVISOR, queue_lost_at=timezone.now())

    assert [trouble.part for trouble in health.troubles()] == ["queue"]


def test_a_sign_of_life_from_before_the_clock_was_put_back_is_none(all_well):
    Heartbeat.objects.filter(part=heartbeats.SUPERVISOR).update(at=timezone.now() + timedelta(hours=1))

    assert not health.checks()["supervisor"].ok


def test_the_supervisor_sends_a_canary_every_five_seconds():
    sent, now = [], timezone.now()
    supervisor = Supervisor(ring=lambda attempt_id: None, send_canary=lambda: sent.append(1))

    for second in range(11):
        supervisor.round(now + timedelta(seconds=second))

    assert len(sent) == 3


def test_a_queue_that_is_away_is_noticed_though_nothing_is_due_and_so_is_its_return():
    away = True

    def send():
        if away:
            raise QueueError

    supervisor = Supervisor(ring=lambda attempt_id: None, send_canary=send)
    supervisor.round(timezone.now())
    assert [trouble.part for trouble in health.troubles()] == ["queue"]

    away = False
    supervisor.round(timezone.now() + timedelta(seconds=1.1))
    assert "queue" not in [trouble.part for trouble in health.troubles()]


def test_every_page_says_it_to_whoever_is_signed_in(browser, client):
    assert "The supervisor is not running" in browser.get("/attempts/").text
    assert "The supervisor is not running" not in client.get("/sign-in/").text


def test_an_open_page_asks_and_is_told_only_what_is_new(browser, all_well):
    page = browser.get("/attempts/").text
    assert 'hx-get="/banner/?shown="' in page
    assert 'hx-trigger="every 12s"' in page
    assert browser.get("/banner/?shown=", headers=POLL).status_code == 204

    beat(heartbeats.WORKER, timedelta(minutes=1))
    news = browser.get("/banner/?shown=", headers=POLL)

    assert "The worker is not taking up any work" in news.text
    assert 'hx-get="/banner/?shown=worker"' in news.text
    assert browser.get("/banner/?shown=worker", headers=POLL).status_code == 204


def test_the_banner_goes_when_the_part_is_back(browser, all_well):
    news = browser.get("/banner/?shown=worker", headers=POLL)

    assert news.status_code == 200
    assert "note" not in news.text


def test_a_page_whose_session_has_ended_is_left_as_it_is(client):
    """It may hold what somebody has typed; the next thing that they do leads to the sign-in."""
    assert client.get("/banner/?shown=", headers=POLL).status_code == 204


def test_asking_for_the_banner_uses_up_no_message(browser, maria):
    browser.post("/sign-out/")  # leaves the message that maria is signed out
    browser.force_login(User.objects.get(username="maria"))

    browser.get("/banner/?shown=", headers=POLL)

    assert "You are signed out" in browser.get("/attempts/").text
