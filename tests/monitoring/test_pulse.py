"""`manage.py pulse`: the health check of containers."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from setup_wizard.monitoring.models import Heartbeat
from tests.project.processes import free_port

pytestmark = pytest.mark.django_db


def beat(part, ago):
    Heartbeat.objects.create(part=part, at=timezone.now() - timedelta(seconds=ago))


@pytest.mark.parametrize(("part", "recent", "old"), [("supervisor", 15, 21), ("worker", 25, 31)])
def test_pulse_accepts_a_recent_heartbeat_of_the_part_only(part, recent, old):
    beat({"supervisor": "worker", "worker": "supervisor"}[part], 0)
    beat(part, old)
    with pytest.raises(CommandError, match=f"no heartbeat of the {part}"):
        call_command("pulse", part)

    Heartbeat.objects.filter(part=part).update(at=timezone.now() - timedelta(seconds=recent))

    call_command("pulse", part)


def test_pulse_of_an_idle_worker_needs_the_queue(settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    with pytest.raises(CommandError, match="the queue cannot be reached"):
        call_command("pulse", "worker")


def test_pulse_refuses_an_unknown_part():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("pulse", "beat")
