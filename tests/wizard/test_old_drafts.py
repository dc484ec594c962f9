"""The supervisor deletes old drafts."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import SealedCredentials
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.wizard import drafts
from setup_wizard.wizard.models import Draft
from setup_wizard.worker.periodic import Periodic
from setup_wizard.worker.supervisor import Supervisor


@pytest.fixture
def left(db):
    """Add a draft that last changed this many days ago."""
    maria = User.objects.create_user("maria")

    def leave(days, **fields):
        draft = Draft.objects.create(owner=maria, action="create_cluster", **fields)
        Draft.objects.filter(pk=draft.pk).update(updated_at=timezone.now() - timedelta(days=days))
        return draft

    return leave


def test_a_draft_is_deleted_a_month_after_its_last_change(left):
    old, young, started = left(31), left(29), left(31, attempt_id=uuid4())
    credentials = Credentials(username="admin@example.com", password=Secret("Correct-horse-7-battery"))
    vault.seal(old.pk, credentials, expires_at=timezone.now() + timedelta(minutes=15))

    assert drafts.delete_old(timezone.now()) == 1

    assert set(Draft.objects.all()) == {young, started}
    assert not SealedCredentials.objects.exists()


def test_the_supervisor_deletes_old_drafts(left):
    left(31)

    supervisor = Supervisor(enqueue=lambda attempt: None, send_canary=lambda: None)
    supervisor.round(timezone.now() + timedelta(days=1))  # other tests may have run it within the hour

    assert not Draft.objects.exists()


def test_deletion_runs_hourly_and_survives_a_clock_set_back():
    now, done = timezone.now(), []
    periodic = Periodic()
    periodic.add(lambda moment: done.append(moment) or 0)

    for moment in (0, 1, 59, 60, 61, -500, -499):
        periodic.do(now + timedelta(minutes=moment))

    assert [round((moment - now).total_seconds() / 60) for moment in done] == [0, 60, -500]
