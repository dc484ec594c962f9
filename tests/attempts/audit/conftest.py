"""An administrator, and an attempt that waits for a decision."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.states import Reason, State
from tests.attempts.attempt_rows import add_attempt

from .entries import CLIENT, SIGN_IN


@pytest.fixture
def ada(db):
    return assign(User.objects.create_user("ada", password=SIGN_IN), Role.ADMINISTRATOR)


@pytest.fixture
def desk(ada):
    browser = Client(**CLIENT)
    browser.force_login(ada)
    return browser


@pytest.fixture
def waiting(maria):
    return add_attempt(
        maria, state=State.NEEDS_OPERATOR, reason=Reason.LOST_CONTACT, resume_state="in_progress"
    )  # fmt: skip
