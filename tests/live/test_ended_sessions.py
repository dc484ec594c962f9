"""When a session has ended, as the streams are told."""

from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from setup_wizard.live.stream import rows


@pytest.fixture
def session(maria):
    session = SessionStore()
    session[SESSION_KEY] = str(maria.pk)
    session[BACKEND_SESSION_KEY] = "setup_wizard.access.backends.LimitedBackend"
    session[HASH_SESSION_KEY] = maria.get_session_auth_hash()
    session.create()
    return session


@pytest.fixture
def has_ended(session, maria):
    return lambda: bool(rows.ended_sessions({session.session_key: str(maria.pk)}))


def test_one_that_lasts_has_not_ended(has_ended):
    assert not has_ended()


def test_signed_out(has_ended, session):
    session.flush()

    assert has_ended()


def test_expired(has_ended):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert has_ended()


def test_disabled(has_ended, maria):
    maria.is_active = False
    maria.save()

    assert has_ended()


def test_another_password(has_ended, maria):
    maria.set_password("nine loud otters")
    maria.save()

    assert has_ended()


def test_somebody_else_by_now(session, maria):
    assert rows.ended_sessions({session.session_key: str(maria.pk + 1)}) == {session.session_key}
