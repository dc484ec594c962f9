"""Rotate the credentials in DATABASE_URL, and kill this process in the middle of it.

python -m tests.attempts.rotate_and_die fill|die|rotate KEY…
"""

import os
import signal
import sys
from datetime import timedelta
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after the setup
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from setup_wizard.attempts import vault  # noqa: E402
from setup_wizard.attempts.models import SealedCredentials  # noqa: E402
from setup_wizard.bootstrap.request import Credentials  # noqa: E402
from setup_wizard.bootstrap.secret import Secret  # noqa: E402

ROWS = 250
KILLED_AT = 150


class KillAtRow:
    """Kill the process before it writes row KILLED_AT."""

    def __init__(self):
        self.passed = 0

    def __call__(self, execute, sql, params, many, context):
        self.passed += sql.startswith('UPDATE "attempts_sealedcredentials"')
        if self.passed == KILLED_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def main(what, *keys):
    settings.SETUP_WIZARD_CREDENTIAL_KEYS = list(keys)
    match what:
        case "fill":
            call_command("migrate", verbosity=0)
            until = timezone.now() + timedelta(hours=1)
            for number in range(ROWS):
                vault.seal(
                    uuid4(),
                    Credentials(username="admin@example.com", password=Secret(f"secret-{number}")),
                    expires_at=until,
                )
        case "die":
            with connection.execute_wrapper(KillAtRow()):
                vault.rotate()
        case "rotate":
            call_command("rotate_credentials")
            settings.SETUP_WIZARD_CREDENTIAL_KEYS = list(keys[:1])
            print(len({vault.open_for(row.owner).password.reveal() for row in SealedCredentials.objects.all()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
