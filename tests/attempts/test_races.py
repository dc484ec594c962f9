"""Many callers at the same time, each with its own connection; only a server with row locks shows races."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connections

from setup_wizard.attempts import engine, locks, sign_ins
from setup_wizard.attempts.models import Attempt, ClusterLock, Event, SentSignIn
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.worker import schedule
from tests.attempts.attempt_rows import create_attempt

MANY = 8  # fewer than a process may hold connections
pytestmark = [
    pytest.mark.skipif(
        not settings.DATABASE_URL.startswith("postgres"), reason="asks a PostgreSQL server: make test-postgres"
    ),
    pytest.mark.django_db(transaction=True),
]


def at_once(function, arguments):
    """Call the function with each argument at the same time, and return the results."""
    together = Barrier(len(arguments))

    def call(argument):
        together.wait(timeout=30)
        try:
            return function(argument)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(call, arguments))


@pytest.fixture
def maria():
    return User.objects.create_user("maria")


@pytest.fixture
def make(maria):
    def make(node="10.0.0.5:9443", **more):
        return create_attempt(
            requested_by=maria, action="create_cluster", host="10.0.0.5", address=node, request={}, **more
        )

    return make


def test_one_of_many_workers_claims_the_attempt(make):
    attempt = make()

    leases = at_once(engine.claim, [attempt.pk] * MANY)

    assert len([lease for lease in leases if lease]) == 1
    attempt.refresh_from_db()
    assert attempt.lease_token == 1


def test_many_supervisors_enqueue_once(make):
    attempt = make()
    now = attempt.created_at

    rung = at_once(lambda moment: list(schedule.due(moment)), [now.replace(year=now.year + 1)] * MANY)

    assert [pk for each in rung for pk in each] == [attempt.pk]


def test_one_of_many_starts_creates_an_attempt(make):
    def start(_):
        try:
            return make()
        except IntegrityError:
            return None

    opened = at_once(start, range(MANY))

    assert len([attempt for attempt in opened if attempt]) == 1
    assert Attempt.objects.count() == 1


def test_one_of_many_attempts_locks_the_cluster(make):
    attempts = [
        make(f"10.0.0.{number}:9443", cluster_keys=["name:redis-prod.example.com", f"node:10.0.0.{number}:9443"])
        for number in range(1, MANY + 1)
    ]

    waiting = at_once(locks.take, attempts)

    [winner] = [attempt for attempt, blocked_by in zip(attempts, waiting, strict=True) if not blocked_by]
    assert {busy.holder for busy in waiting if busy} == {winner.address}
    assert set(ClusterLock.objects.values_list("attempt", flat=True)) == {winner.pk}


def test_one_of_many_writers_adds_the_event(make):
    attempt = make()
    lease = engine.claim(attempt.pk)

    def write(mine):
        try:
            engine.lease.write(mine, lease.snapshot, [engine.lease.NewEvent("noted", "Seen")], lease_token=2)
        except engine.LeaseLost:
            return False
        return True

    read_before = [Attempt.objects.get(pk=attempt.pk) for _ in range(MANY)]
    assert at_once(write, read_before).count(True) == 1
    assert Event.objects.filter(attempt=attempt, kind="noted").count() == 1


def test_parallel_sign_ins_never_exceed_the_budget():
    account = sign_ins.Account((":".join(["AB"] * 32),), "admin@example.com")

    def sign_in(number):
        try:
            return sign_ins.reserve(
                account, Credentials(username=account.username, password=Secret(f"CANARY-{number}"))
            )
        except sign_ins.SignInBlocked:
            return None

    sent = [each for each in at_once(sign_in, range(MANY)) if each]

    assert len(sent) == SentSignIn.objects.count() == 3
