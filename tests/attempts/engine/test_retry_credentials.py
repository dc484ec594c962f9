"""Credentials after the end of an attempt: a failure keeps them for 15 minutes, and nothing else does."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import engine, timing, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Event, SealedCredentials, UsedCredentials
from setup_wizard.attempts.reducer.snapshot import Retention, retention
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Paths
from setup_wizard.bootstrap.secret import Secret
from tests.attempts.conftest import PASSWORD, follow
from tests.attempts.reducer.cases import NOW, sent, snapshot
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db
NOWHERE = Paths(persistent_path="/proc/nowhere/persist", ephemeral_path="/proc/nowhere/tmp")
MINUTES_15 = timedelta(minutes=15)


@pytest.fixture
def failing(start, tmp_path):
    """An attempt that is about to fail: its node cannot make the path and does not check before."""
    with start_node(tmp_path / "node", options=["--no-validate"]) as node:
        yield start(node, paths=NOWHERE)


def test_failure_keeps_the_credentials_for_15_minutes(failing):
    before = timezone.now()

    attempt = follow(failing)

    assert (attempt.status, attempt.error_code) == (State.FAILED, "path_error")
    assert before + MINUTES_15 <= vault.expires_at(attempt.pk) <= timezone.now() + MINUTES_15
    assert vault.open_for(attempt.pk).password == Secret(PASSWORD)
    assert UsedCredentials.objects.get(owner=attempt.pk).sealed  # the node may still quote them


def test_purge_deletes_kept_credentials_on_time(failing):
    attempt = follow(failing)
    until = SealedCredentials.objects.get().expires_at

    vault.purge(until - timedelta(seconds=1))
    kept = SealedCredentials.objects.filter(owner=attempt.pk).exists()
    vault.purge(until)

    assert kept
    assert not SealedCredentials.objects.exists()


def test_failure_before_anything_was_sent_keeps_them_too(start, tmp_path):
    with start_node(tmp_path / "node") as node:
        attempt = follow(start(node, paths=NOWHERE))

    assert (attempt.status, attempt.why, attempt.submits) == (State.FAILED, Reason.VALIDATION, 0)
    assert vault.expires_at(attempt.pk) <= timezone.now() + MINUTES_15


def test_credentials_that_somebody_else_entered_are_not_kept(failing):
    attempt = follow(failing, until=lambda attempt: attempt.was_validated)
    ben = assign(User.objects.create_user("ben"), Role.OPERATOR)
    Event.objects.create(attempt=attempt, seq=attempt.last_seq + 1, kind="credentials", message="entered", by=ben)
    type(attempt).objects.filter(pk=attempt.pk).update(last_seq=attempt.last_seq + 1)

    attempt = follow(attempt)

    assert attempt.status is State.FAILED
    assert not SealedCredentials.objects.exists()


def test_cancel_deletes_them_at_once(failing, maria):
    engine.choose(failing.pk, Choice.CANCEL, by=maria)

    assert not SealedCredentials.objects.exists()


@pytest.mark.parametrize(
    "refused",
    [
        {"error_code": "access_denied"},
        {"refused_since": NOW},
        {"refused_sign_ins": 1},
        {"answer_status": 401},
        {"answer_status": 403},
    ],
)
def test_refused_credentials_are_not_kept(refused):
    failed = sent(State.FAILED, reason=Reason.NODE_ERROR)

    assert retention(failed) is Retention.KEPT_FOR_RETRY
    assert retention(sent(State.FAILED, reason=Reason.NODE_ERROR, **refused)) is Retention.DELETED


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.CANCELLED])
def test_other_ends_keep_nothing(state):
    assert retention(snapshot(state)) is Retention.DELETED
    assert timing.RETRY_SECRET_LIFE == MINUTES_15
