"""Let an attempt of maria's fail in DATABASE_URL, and tell of it.

python -m tests.notifications.add_notice ADDRESS
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - after the setup

from setup_wizard.attempts.states import State  # noqa: E402
from setup_wizard.notifications import outbox  # noqa: E402
from setup_wizard.notifications.models import EventCursor  # noqa: E402
from tests.attempts.attempt_rows import add_attempt  # noqa: E402
from tests.notifications.conftest import add_event  # noqa: E402

if __name__ == "__main__":
    outbox.begin()
    failed = add_attempt(User.objects.get(username="maria"), sys.argv[1], state=State.FAILED, reason="unreachable")
    add_event(failed, "failed", reason="unreachable")
    for cursor in EventCursor.objects.all():
        outbox.read(cursor.pk)
