"""Each part is judged by what it does; pages name a part that does not work."""

import socket
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueError

from setup_wizard.attempts import timing
from setup_wizard.monitoring import health, heartbeats
from setup_wizard.monitoring.models import Heartbeat
from setup_wizard.worker import tasks
from setup_wizard.worker.supervisor import Supervisor
from tests.redis_servers import running_redis

pytestmark = pytest.mark.django_db

POLL = {"HX-Request": "true"}


def beat(part, age=timedelta(0), **more):
    Heartbeat.objects.update_or_create(part=part, defaults={"at": timezone.now() - age, **more})


@pytest.fixture
def all_parts_work():
    beat(heartbeats.SUPERVISOR)
    beat(heartbeats.WORKER)


@pytest.fixture
def browser(maria):
    browser = Client()
    browser.force_login(maria)
    return browser


@pytest.fixture(scope="module")
def redis_url():
    with running_redis() as url:
        yield url


@pytest.fixture
def broker(settings, redis_url):
    settings.REDIS_URL = redis_url


def parts_of(answer):
    return {part: check["ok"] for part, check in answer.json()["checks"].items()}


def test_readyz_is_ok_when_every_part_works(client, all_parts_work, broker):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert parts_of(answer) == dict.fromkeys(["database", "broker", "supervisor", "worker", "broadcaster"], True)
    assert all(isinstance(check["ms"], float) for check in answer.json()["checks"].values())


@pytest.mark.parametrize(
    ("part", "age", "ok"),
    [("supervisor", 14, True), ("supervisor", 16, False), ("worker", 14, True), ("worker", 16, False)],
)
@pytest.mark.usefixtures("all_parts_work", "broker")
def test_readyz_fails_for_a_stale_heartbeat(client, part, age, ok):
    beat(part, timedelta(seconds=age))

    answer = client.get("/readyz")

    assert parts_of(answer)[part] is ok
    assert answer.status_code == (200 if ok else 503)


def test_readyz_fails_for_parts_without_a_heartbeat(client, broker):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"
    assert [part for part, works in parts_of(answer).items() if not works] == ["supervisor", "worker"]


def test_readyz_fails_for_a_broker_that_refuses_connections(client, all_parts_work, settings):
    settings.REDIS_URL = "redis://maria:hunter2@127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert parts_of(answer)["broker"] is False
    assert "hunter2" not in answer.text


def test_readyz_reports_a_frozen_broker_within_a_second(client, all_parts_work, settings):
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        settings.REDIS_URL = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        begun = time.monotonic()

        answer = client.get("/readyz")

    assert parts_of(answer)["broker"] is False
    assert time.monotonic() - begun < timing.BROKER_TIMEOUT + 3  # the machine may be busy


def test_probes_need_no_sign_in_and_allow_only_reading(client, all_parts_work, broker):
    assert client.get("/healthz").text == "ok"
    assert client.head("/readyz").status_code == 200
    assert client.post("/readyz").status_code == 405


def test_probes_are_not_redirected_to_https(client, all_parts_work, broker, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/setup/").status_code == 301


def test_banner_trusts_a_worker_that_ran_a_canary():
    assert [trouble.part for trouble in health.troubles()] == ["supervisor"]
    beat(heartbeats.SUPERVISOR)
    assert [trouble.part for trouble in health.troubles()] == ["worker"]

    tasks.canary()

    assert health.troubles() == []


def test_banner_names_a_stale_worker_or_instead_the_lost_queue(all_parts_work):
    beat(heartbeats.WORKER, timing.CANARY_STALE + timedelta(seconds=1))
    assert [trouble.part for trouble in health.troubles()] == ["worker"]

    beat(heartbeats.SUPERVISOR, queue_lost_at=timezone.now())
    assert [trouble.part for trouble in health.troubles()] == ["queue"]


def test_heartbeat_from_the_future_does_not_count(all_parts_work):
    Heartbeat.objects.filter(part=heartbeats.SUPERVISOR).update(at=timezone.now() + timedelta(hours=1))

    assert not health.checks()["supervisor"].ok


def test_supervisor_sends_a_canary_every_five_seconds():
    sent, now = [], timezone.now()
    supervisor = Supervisor(enqueue=lambda attempt_id: None, send_canary=lambda: sent.append(1))

    for second in range(11):
        supervisor.round(now + timedelta(seconds=second))

    assert len(sent) == 3


def test_supervisor_notices_a_lost_queue_and_its_return_without_work():
    away = True

    def send():
        if away:
            raise QueueError

    supervisor = Supervisor(enqueue=lambda attempt_id: None, send_canary=send)
    supervisor.round(timezone.now())
    assert [trouble.part for trouble in health.troubles()] == ["queue"]

    away = False
    supervisor.round(timezone.now() + timedelta(seconds=1.1))
    assert "queue" not in [trouble.part for trouble in health.troubles()]


def test_banner_is_on_every_page_for_signed_in_users(browser, client):
    assert "The supervisor is not running" in browser.get("/attempts/").text
    assert "The supervisor is not running" not in client.get("/sign-in/").text


def test_open_page_polls_the_banner_and_gets_only_changes(browser, all_parts_work):
    page = browser.get("/attempts/").text
    assert 'hx-get="/banner/?shown="' in page
    assert 'hx-trigger="every 12s"' in page
    assert browser.get("/banner/?shown=", headers=POLL).status_code == 204

    beat(heartbeats.WORKER, timedelta(minutes=1))
    news = browser.get("/banner/?shown=", headers=POLL)

    assert "The worker is not running any tasks" in news.text
    assert 'hx-get="/banner/?shown=worker"' in news.text
    assert browser.get("/banner/?shown=worker", headers=POLL).status_code == 204


def test_banner_disappears_when_the_part_is_back(browser, all_parts_work):
    news = browser.get("/banner/?shown=worker", headers=POLL)

    assert news.status_code == 200
    assert "note" not in news.text


def test_banner_leaves_a_page_alone_after_its_session_ended(client):
    """The page may hold typed text; the next request leads to the sign-in."""
    assert client.get("/banner/?shown=", headers=POLL).status_code == 204


def test_banner_request_keeps_pending_messages(browser, maria):
    browser.post("/sign-out/")  # leaves the message that maria is signed out
    browser.force_login(User.objects.get(username="maria"))

    browser.get("/banner/?shown=", headers=POLL)

    assert "You are signed out" in browser.get("/attempts/").text
