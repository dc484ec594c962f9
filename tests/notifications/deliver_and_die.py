"""Read and deliver what is due in DATABASE_URL, in a process that a failpoint may kill.

python -m tests.notifications.deliver_and_die fill URL | work [FAILPOINT]
"""

import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after the setup
from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from setup_wizard import failpoints  # noqa: E402
from setup_wizard.attempts.states import State  # noqa: E402
from setup_wizard.bootstrap.secret import Secret  # noqa: E402
from setup_wizard.notifications import deliveries, outbox, schedule, secrets  # noqa: E402
from setup_wizard.notifications.models import EventCursor, Webhook  # noqa: E402
from tests.attempts.attempt_rows import add_attempt  # noqa: E402
from tests.notifications.conftest import KEY, add_event  # noqa: E402


def fill(url):
    webhook = Webhook(name="Operations", host="127.0.0.1", told_since=timezone.now() - timedelta(seconds=1))
    secrets.seal(webhook, secrets.WebhookSecrets(Secret(url), Secret(KEY)))
    webhook.save()
    outbox.begin()
    attempt = add_attempt(User.objects.create_user("maria"), state=State.FAILED, reason="unreachable")
    add_event(attempt, "failed", reason="unreachable")


def work(*words):
    settings.SETUP_WIZARD_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    failpoints.arm(words)
    for cursor in EventCursor.objects.all():
        if outbox.has_news(cursor, timezone.now()):  # or it would be killed while it reads a source without events
            outbox.read(cursor.pk)
    for delivery in schedule.due_deliveries(timezone.now()):
        deliveries.deliver(delivery)


if __name__ == "__main__":
    {"fill": fill, "work": work}[sys.argv[1]](*sys.argv[2:])
