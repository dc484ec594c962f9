"""D3: rings for what is due, once, and again when nobody came; keeps deadlines and purges when no worker does."""

from datetime import timedelta

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
def rung():
    return []


def sing():
    """What a worker does with a canary, at once."""
    heartbeats.beat(heartbeats.WORKER)


@pytest.fixture
def supervisor(rung):
    return Supervisor(ring=rung.append, send_canary=sing)


def test_a_due_attempt_is_rung_for_once(supervisor, rung, attempt):
    now = timezone.now()

    supervisor.round(now)
    supervisor.round(now + timedelta(seconds=1))

    assert rung == [attempt.pk]


@pytest.mark.parametrize(("due_in", "pause"), [(0.03, 0.03), (5, timing.SUPERVISOR_LATENESS)])
def test_it_sleeps_until_the_next_is_due_and_never_longer_than_it_may_be_late(attempt, due_in, pause):
    now = timezone.now()
    Attempt.objects.update(next_tick_at=now + timedelta(seconds=due_in))

    assert schedule.pause(now) == pytest.approx(pause)


def test_a_ring_that_nobody_claimed_is_repeated_after_five_seconds(supervisor, rung, attempt):
    now = timezone.now()

    supervisor.round(now)
    supervisor.round(now + timing.ENQUEUE_AGAIN)

    assert rung == [attempt.pk, attempt.pk]


def test_without_a_worker_nothing_is_rung_for_twice_until_one_shows_that_it_works(rung, attempt):
    supervisor = Supervisor(ring=rung.append, send_canary=lambda: None)
    now = timezone.now()

    for minute in range(60):
        supervisor.round(now + timedelta(minutes=minute))
    assert rung == [attempt.pk]

    heartbeats.beat(heartbeats.WORKER)
    supervisor.round(timezone.now() + timing.ENQUEUE_AGAIN)
    assert rung == [attempt.pk, attempt.pk]


def test_one_that_a_worker_holds_is_left_alone_until_its_lease_ends(supervisor, rung, attempt):
    lease = claim(attempt.pk)
    ends = lease.attempt.lease_expires_at

    supervisor.round(ends - timedelta(seconds=1))
    assert rung == []

    supervisor.round(ends)
    assert rung == [attempt.pk]


def test_one_that_is_due_later_is_not_rung_for(supervisor, rung, attempt):
    Attempt.objects.update(next_tick_at=timezone.now() + timedelta(seconds=10))

    supervisor.round(timezone.now())

    assert rung == []


@pytest.mark.parametrize("state", [state for state in State if not state.is_moving])
def test_nothing_is_rung_for_that_has_ended_or_rests(supervisor, rung, attempt, state):
    Attempt.objects.update(state=state)

    supervisor.round(timezone.now())

    assert rung == []


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


def test_those_whose_nodes_answer_come_first_by_the_time_at_which_they_became_due(supervisor, rung, maria):
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

    assert rung == [late, later, silent]


def test_only_so_many_silent_nodes_are_rung_for_at_once(supervisor, rung, maria):
    now, most = timezone.now(), timing.SILENT_AT_ONCE
    for number in range(most + 5):
        add_due(maria, number, next_tick_at=now - timedelta(seconds=60 - number), silent_since=now)
    answering = add_due(maria, 250, next_tick_at=now)

    supervisor.round(timezone.now())
    supervisor.round(timezone.now())

    assert rung[0] == answering.pk
    assert len(rung) == most + 1
    first, second = rung[1:3]
    engine.claim(first)  # a worker waits for its node now, and for one fewer when it has given up
    lease = engine.claim(second)
    supervisor.round(timezone.now())
    assert len(rung) == most + 1

    engine.record(lease, Silent("tls"))
    supervisor.round(timezone.now())
    assert len(rung) == most + 2


def test_two_supervisors_ring_once(rung, attempt):
    now = timezone.now()

    Supervisor(ring=rung.append, send_canary=sing).round(now)
    Supervisor(ring=rung.append, send_canary=sing).round(now)

    assert rung == [attempt.pk]


def test_a_queue_that_is_away_is_told_and_the_ring_is_sent_when_it_is_back(attempt):
    rung, away = [], True

    def ring(attempt_id):
        if away:
            raise QueueError
        rung.append(attempt_id)

    supervisor, now = Supervisor(ring=ring, send_canary=sing), timezone.now()
    supervisor.round(now)
    assert "queue cannot be reached" in health.troubles()[0].text

    away = False
    supervisor.round(timezone.now() + timedelta(seconds=1.1))
    assert rung == [attempt.pk]
    assert health.troubles() == []


def test_its_heartbeat_is_missed_after_a_quarter_of_a_minute(supervisor):
    assert "supervisor is not running" in health.troubles()[0].text

    supervisor.round(timezone.now())
    assert health.troubles() == []

    Heartbeat.objects.update(at=timezone.now() - timing.HEARTBEAT_STALE - timedelta(seconds=1))
    assert "supervisor is not running" in health.troubles()[0].text


def test_a_deadline_is_kept_though_no_worker_comes(attempt):
    now = timezone.now()
    Attempt.objects.update(
        state=State.IN_PROGRESS, submits=1, submit_intent_at=now, started_at=now, deadline_at=now, silent_since=now
    )

    assert schedule.sweep(now) == 1

    attempt.refresh_from_db()
    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.LOST_CONTACT)


def test_an_attempt_that_waited_seven_days_for_a_decision_is_given_up(attempt):
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


def test_an_expired_secret_is_purged_by_the_same_round(supervisor, attempt):
    SealedCredentials.objects.create(owner=attempt.pk, sealed="v1:x:y", expires_at=timezone.now())

    supervisor.round(timezone.now())

    assert vault.expires_at(attempt.pk) is None
    assert not SealedCredentials.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_waited_for(attempt, caplog):
    tries = []

    def ring(attempt_id):
        tries.append(attempt_id)
        if len(tries) == 1:
            raise OperationalError
        supervisor.stop.set()

    supervisor = Supervisor(ring=ring, send_canary=sing)

    supervisor.run()

    assert tries == [attempt.pk, attempt.pk]
    assert "the database cannot be reached" in caplog.text


@pytest.fixture
def migrated_further(db):
    """As a newer version leaves the tables."""
    MigrationRecorder(connection).record_applied("attempts", "9999_from_the_future")


def test_it_refuses_to_run_on_the_tables_of_a_newer_version(migrated_further):
    with pytest.raises(CommandError, match=r"ahead of this code by attempts\.9999_from_the_future"):
        call_command("supervise")

    assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)  # between two rounds it gives its connection back
def test_it_stops_when_a_newer_version_migrates_while_it_runs(attempt):
    rung = []

    def ring(attempt_id):
        rung.append(attempt_id)
        MigrationRecorder(connection).record_applied("attempts", "9999_from_the_future")
        supervisor._beat_at -= timing.HEARTBEAT_EVERY  # a few seconds later

    supervisor = Supervisor(ring=ring, send_canary=lambda: None)
    supervisor._beat_at = timezone.now()

    try:
        with pytest.raises(SchemaAhead):
            supervisor.run()
    finally:
        MigrationRecorder(connection).record_unapplied("attempts", "9999_from_the_future")

    assert rung == [attempt.pk]


def test_what_an_app_that_is_not_installed_has_migrated_is_nobodys_business(db):
    MigrationRecorder(connection).record_applied("blog", "0007_comments")

    schema.check()
