"""The supervisor enqueues what is due, repeats lost messages, keeps deadlines and deletes expired secrets."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from kombu.exceptions import OperationalError as QueueError

from setup_wizard.attempts import engine, timing, vault
from setup_wizard.attempts.engine import claim
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.observations import Silent
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.monitoring import health, heartbeats
from setup_wizard.monitoring.models import Heartbeat
from setup_wizard.worker import schedule, schema
from setup_wizard.worker.schema import SchemaAhead
from setup_wizard.worker.supervisor import Supervisor
from tests.attempts.attempt_rows import create_attempt

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(maria):
    return create_attempt(
        requested_by=maria,
        action="create_cluster",
        host="10.0.0.5",
        address="10.0.0.5:9443",
        request={},
        fingerprint="AA",
    )


@pytest.fixture
def enqueued():
    return []


def run_canary():
    """What a worker does with a canary."""
    heartbeats.beat(heartbeats.WORKER)


@pytest.fixture
def supervisor(enqueued):
    return Supervisor(enqueue=enqueued.append, send_canary=run_canary)


def test_supervisor_enqueues_a_due_attempt_once(supervisor, enqueued, attempt):
    now = timezone.now()

    supervisor.round(now)
    supervisor.round(now + timedelta(seconds=1))

    assert enqueued == [attempt.pk]


@pytest.mark.parametrize(("due_in", "pause"), [(0.03, 0.03), (5, timing.SUPERVISOR_LATENESS)])
def test_supervisor_sleeps_until_the_next_tick_within_its_lateness(attempt, due_in, pause):
    now = timezone.now()
    Attempt.objects.update(next_tick_at=now + timedelta(seconds=due_in))

    assert schedule.pause(now, schedule.next_at(now)) == pytest.approx(pause)


def test_supervisor_enqueues_an_unclaimed_tick_again_after_5_s(supervisor, enqueued, attempt):
    now = timezone.now()

    supervisor.round(now)
    supervisor.round(now + timing.ENQUEUE_AGAIN)

    assert enqueued == [attempt.pk, attempt.pk]


def test_supervisor_enqueues_nothing_twice_without_a_worker(enqueued, attempt):
    supervisor = Supervisor(enqueue=enqueued.append, send_canary=lambda: None)
    now = timezone.now()

    for minute in range(60):
        supervisor.round(now + timedelta(minutes=minute))
    assert enqueued == [attempt.pk]

    heartbeats.beat(heartbeats.WORKER)
    supervisor.round(timezone.now() + timing.ENQUEUE_AGAIN)
    assert enqueued == [attempt.pk, attempt.pk]


def test_supervisor_skips_a_held_attempt_until_its_lease_ends(supervisor, enqueued, attempt):
    lease = claim(attempt.pk)
    ends = lease.attempt.lease_expires_at

    supervisor.round(ends - timedelta(seconds=1))
    assert enqueued == []

    supervisor.round(ends)
    assert enqueued == [attempt.pk]


def test_supervisor_skips_an_attempt_that_is_due_later(supervisor, enqueued, attempt):
    Attempt.objects.update(next_tick_at=timezone.now() + timedelta(seconds=10))

    supervisor.round(timezone.now())

    assert enqueued == []


@pytest.mark.parametrize("state", [state for state in State if not state.is_moving])
def test_supervisor_skips_attempts_that_ended_or_wait_for_the_operator(supervisor, enqueued, attempt, state):
    Attempt.objects.update(state=state)

    supervisor.round(timezone.now())

    assert enqueued == []


def add_due(maria, number, **fields):
    return create_attempt(
        requested_by=maria,
        action="create_cluster",
        host=f"10.0.1.{number}",
        address=f"10.0.1.{number}:9443",
        request={},
        fingerprint="AA",
        state=State.IN_PROGRESS,
        **fields,
    )


def test_supervisor_enqueues_answering_nodes_first_then_by_due_time(supervisor, enqueued, maria):
    now = timezone.now()
    ages = {"silent": 9, "late": 2, "later": 1}
    silent, late, later = (
        add_due(
            maria,
            number,
            next_tick_at=now - timedelta(seconds=age),
            silent_since=now if name == "silent" else None,
        ).pk
        for number, (name, age) in enumerate(ages.items())
    )

    supervisor.round(timezone.now())

    assert enqueued == [late, later, silent]


def test_supervisor_limits_the_silent_nodes_in_the_queue(supervisor, enqueued, maria):
    now, most = timezone.now(), timing.MAX_SILENT_NODES
    for number in range(most + 5):
        add_due(maria, number, next_tick_at=now - timedelta(seconds=60 - number), silent_since=now)
    answering = add_due(maria, 250, next_tick_at=now)

    supervisor.round(timezone.now())
    supervisor.round(timezone.now())

    assert enqueued[0] == answering.pk
    assert len(enqueued) == most + 1
    first, second = enqueued[1:3]
    engine.claim(first)  # this worker still waits for its node
    lease = engine.claim(second)
    supervisor.round(timezone.now())
    assert len(enqueued) == most + 1

    engine.record(lease, Silent("tls"))
    supervisor.round(timezone.now())
    assert len(enqueued) == most + 2


def test_two_supervisors_enqueue_a_tick_once(enqueued, attempt):
    now = timezone.now()

    Supervisor(enqueue=enqueued.append, send_canary=run_canary).round(now)
    Supervisor(enqueue=enqueued.append, send_canary=run_canary).round(now)

    assert enqueued == [attempt.pk]


def test_supervisor_reports_a_lost_queue_and_sends_when_it_is_back(attempt):
    enqueued, away = [], True

    def enqueue(attempt_id):
        if away:
            raise QueueError
        enqueued.append(attempt_id)

    supervisor, now = Supervisor(enqueue=enqueue, send_canary=run_canary), timezone.now()
    supervisor.round(now)
    assert "queue cannot be reached" in health.troubles()[0].text

    away = False
    supervisor.round(timezone.now() + timedelta(seconds=1.1))
    assert enqueued == [attempt.pk]
    assert health.troubles() == []


def test_banner_names_a_supervisor_without_a_heartbeat_for_15_s(supervisor):
    assert "supervisor is not running" in health.troubles()[0].text

    supervisor.round(timezone.now())
    assert health.troubles() == []

    Heartbeat.objects.update(at=timezone.now() - timing.HEARTBEAT_STALE - timedelta(seconds=1))
    assert "supervisor is not running" in health.troubles()[0].text


def test_supervisor_enforces_a_deadline_without_a_worker(attempt):
    now = timezone.now()
    Attempt.objects.update(
        state=State.IN_PROGRESS, submits=1, submit_intent_at=now, started_at=now, deadline_at=now, silent_since=now
    )

    assert schedule.sweep(now) == 1

    attempt.refresh_from_db()
    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)


def test_supervisor_fails_an_attempt_after_seven_days_without_a_choice(attempt):
    now = timezone.now()
    Attempt.objects.update(
        state=State.NEEDS_OPERATOR,
        reason=Reason.TRUST,
        resume_state=State.CHECKING,
        waiting_since=now - timing.ABANDONED_AFTER,
    )

    schedule.sweep(now)

    attempt.refresh_from_db()
    assert (attempt.status, attempt.why) == (State.FAILED, Reason.ABANDONED)


def test_supervisor_deletes_expired_secrets(supervisor, attempt):
    SealedCredentials.objects.create(owner=attempt.pk, sealed="v1:x:y", expires_at=timezone.now())

    supervisor.round(timezone.now())

    assert vault.expires_at(attempt.pk) is None
    assert not SealedCredentials.objects.exists()


def test_supervisor_deletes_the_credentials_of_a_retry_15_minutes_after(supervisor, attempt):
    now, draft = timezone.now(), uuid4()
    credentials = Credentials(username="admin@example.com", password=Secret("seven quiet otters"))
    vault.seal(attempt.pk, credentials, expires_at=now + timing.RETRY_SECRET_LIFE)
    assert vault.copy_for_retry(attempt.pk, draft)

    supervisor.round(now + timing.RETRY_SECRET_LIFE - timedelta(seconds=1))
    kept = set(SealedCredentials.objects.values_list("owner", flat=True))
    supervisor.round(now + timing.RETRY_SECRET_LIFE + timedelta(seconds=60))

    assert kept == {attempt.pk, draft}
    assert not SealedCredentials.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_supervisor_waits_for_a_database_that_is_away(attempt, caplog):
    tries = []

    def enqueue(attempt_id):
        tries.append(attempt_id)
        if len(tries) == 1:
            raise OperationalError
        supervisor.stopping.set()

    supervisor = Supervisor(enqueue=enqueue, send_canary=run_canary)

    supervisor.run()

    assert tries == [attempt.pk, attempt.pk]
    assert "the database cannot be reached" in caplog.text


@pytest.fixture
def migrated_further(db):
    """The tables after a migration by a newer version."""
    MigrationRecorder(connection).record_applied("attempts", "9999_from_the_future")


def test_supervisor_refuses_the_tables_of_a_newer_version(migrated_further):
    with pytest.raises(CommandError, match=r"ahead of this code by attempts\.9999_from_the_future"):
        call_command("supervise")

    assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)  # it closes its connection between rounds
def test_supervisor_stops_when_a_newer_version_migrates(attempt):
    enqueued = []

    def enqueue(attempt_id):
        enqueued.append(attempt_id)
        MigrationRecorder(connection).record_applied("attempts", "9999_from_the_future")
        supervisor._beat_at -= timing.HEARTBEAT_EVERY  # a few seconds later

    supervisor = Supervisor(enqueue=enqueue, send_canary=lambda: None)
    supervisor._beat_at = timezone.now()

    try:
        with pytest.raises(SchemaAhead):
            supervisor.run()
    finally:
        MigrationRecorder(connection).record_unapplied("attempts", "9999_from_the_future")

    assert enqueued == [attempt.pk]


def test_schema_check_ignores_apps_that_are_not_installed(db):
    MigrationRecorder(connection).record_applied("blog", "0007_comments")

    schema.check()
