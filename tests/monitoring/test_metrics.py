"""/metrics: who may read it, and what it shows."""

import os
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from setup_wizard.attempts.states import Reason, State
from setup_wizard.live.stream import queries
from setup_wizard.monitoring import heartbeats, histograms
from setup_wizard.monitoring.models import Heartbeat
from tests.attempts.attempt_rows import add_attempt, add_refused

TOKEN = "quiet-otters-0123456789-0123456789"

pytestmark = pytest.mark.django_db


@pytest.fixture
def metrics_token(settings):
    settings.SETUP_WIZARD_METRICS_TOKEN = TOKEN


@pytest.fixture
def scrape(metrics_token):
    def ask(**headers):
        return Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})

    return ask


def samples(answer):
    """Every sample as {name: {label values, sorted by label name: value}}."""
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_metrics_are_closed_until_a_setting_opens_them():
    assert Client().get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ü"]
)
@pytest.mark.usefixtures("metrics_token")
def test_metrics_refuse_a_wrong_token(given):
    answer = Client().get("/metrics", headers={"Authorization": given})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "setup_wizard" not in answer.text


def test_metrics_refuse_a_session(metrics_token, maria):
    browser = Client()
    browser.force_login(maria)

    assert browser.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("address", "status"), [("10.2.3.4", 200), ("10.3.0.1", 403), ("192.168.0.7", 200), ("::1", 403), ("", 403)]
)
def test_metrics_are_open_to_the_configured_networks(settings, address, status):
    settings.SETUP_WIZARD_METRICS_NETWORKS = ["10.2.0.0/16", "192.168.0.7/32"]

    assert Client().get("/metrics", REMOTE_ADDR=address).status_code == status


def test_metrics_count_attempts_by_state_reason_and_code(scrape, maria):
    add_attempt(maria, "10.0.0.5:9443")
    add_attempt(maria, "10.0.0.6:9443")
    add_attempt(maria, "10.0.0.7:9443", state=State.NEEDS_OPERATOR, reason=Reason.TRUST)
    add_refused(maria, "10.0.0.8:9443")
    for number, code in enumerate(('made up "here', "made up there")):
        node = f"10.0.1.{number}:9443"
        add_attempt(maria, node, state=State.FAILED, reason=Reason.NODE_ERROR, error_code=code)

    found = samples(scrape())["setup_wizard_attempts"]

    assert found["", "", "succeeded"] == 2
    assert found["", "trust", "needs_operator"] == 1
    assert found["access_denied", "node_error", "failed"] == 1
    assert found["other", "node_error", "failed"] == 2
    assert found["", "", "queued"] == 0  # alerts need states without attempts too


def test_metrics_show_due_ticks_and_the_longest_wait(scrape, maria):
    now = timezone.now()
    # the last three are not due: too early, claimed by a worker, and waiting for an operator
    for number, (age, lease, state) in enumerate(
        [
            (40, -60, State.IN_PROGRESS),
            (10, -60, State.IN_PROGRESS),
            (-10, -60, State.IN_PROGRESS),
            (90, 10, State.IN_PROGRESS),
            (90, -60, State.NEEDS_OPERATOR),
        ]
    ):
        add_attempt(
            maria,
            f"10.0.0.{number}:9443",
            state=state,
            next_tick_at=now - timedelta(seconds=age),
            lease_expires_at=now + timedelta(seconds=lease),
        )

    found = samples(scrape())

    assert found["setup_wizard_ticks_due"][()] == 2
    assert 40 <= found["setup_wizard_tick_waits_seconds"][()] < 60


def test_metrics_show_cumulative_histograms(scrape):
    histograms._counted.clear()
    for seconds in (0.01, 0.2, 0.2, 70):
        histograms.note(histograms.LATENESS, "answering", seconds)
    histograms.note(histograms.EXCHANGE, "poll silent", 4.9)
    histograms.flush()

    found = samples(scrape())

    buckets = found["setup_wizard_tick_lateness_seconds_bucket"]
    assert [buckets[bound, "answering"] for bound in ("0.05", "0.1", "0.25", "60.0", "+Inf")] == [1, 1, 3, 3, 4]
    assert found["setup_wizard_tick_lateness_seconds_sum"]["answering",] == pytest.approx(70.41)
    assert found["setup_wizard_tick_lateness_seconds_count"]["answering",] == 4
    assert found["setup_wizard_node_exchange_seconds_count"]["poll", "silent"] == 1


def test_metrics_show_heartbeats_and_open_streams(scrape):
    queries.save_heartbeat(7)
    Heartbeat.objects.create(part=heartbeats.SUPERVISOR, at=timezone.now() - timedelta(seconds=50))

    found = samples(scrape())

    (streams,) = found["setup_wizard_streams"].items()
    assert streams[0][0].endswith(str(os.getpid()))
    assert streams[1] == 7
    assert 50 <= found["setup_wizard_heartbeat_age_seconds"]["supervisor",] < 70
    assert found["setup_wizard_up"]["supervisor",] == 0
    assert found["setup_wizard_up"]["database",] == 1


def test_metrics_leave_out_a_queue_that_is_away(scrape, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    found = samples(scrape())

    assert found["setup_wizard_up"]["broker",] == 0
    assert "setup_wizard_queue_messages" not in found


def test_metrics_contain_no_names_or_addresses(scrape, maria):
    add_refused(maria)

    text = scrape().text

    assert not re.search(r"maria|redis-|10\.0\.0|admin@|CANARY", text)
