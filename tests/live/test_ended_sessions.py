"""Streams end with their session."""

from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from setup_wizard.live.stream import queries
from setup_wizard.live.stream.open_streams import CloseReason, Subscription


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
    return lambda: queries.why_close(Subscription({}, session.session_key, str(maria.pk))) is CloseReason.SIGNED_OUT


def test_an_active_session_has_not_ended(has_ended):
    assert not has_ended()


def test_a_session_ends_at_sign_out(has_ended, session):
    session.flush()

    assert has_ended()


def test_a_session_ends_when_it_expires(has_ended):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert has_ended()


def test_a_session_ends_when_its_user_is_disabled(has_ended, maria):
    maria.is_active = False
    maria.save()

    assert has_ended()


def test_a_session_ends_when_the_password_changes(has_ended, maria):
    maria.set_password("nine loud otters")
    maria.save()

    assert has_ended()


def test_a_session_ends_for_a_user_when_another_signs_in(session, maria):
    stream = Subscription({}, session.session_key, str(maria.pk + 1))
    assert queries.why_close(stream) is CloseReason.SIGNED_OUT
