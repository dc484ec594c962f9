"""`manage.py rotate_credentials`: seal all kept credentials with the newest key, so that older ones can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from setup_wizard.attempts import vault


class Command(BaseCommand):
    """Seal everything with the first key, and say what no key opens."""

    help = (
        "Seal the credentials of all setups with the first key of SETUP_WIZARD_CREDENTIAL_KEYS. "
        "Run it when every process has the new key; it can be run again at any time"
    )

    def handle(self, *_: Any, **__: Any) -> None:
        """Rotate.

        Raises:
            CommandError: a key cannot be used, or some credentials cannot be opened.
        """
        try:
            done = vault.rotate()
        except vault.KeyUnusable as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"Sealed anew with key {done.key_id}: {done.resealed}.")
        if done.unopened:
            raise CommandError(
                f"Not opened by any key that is configured: {done.unopened}. Put the key back that sealed them, or "
                "remove it all the same: these setups ask for the sign-in again"
            )
        self.stdout.write("Every older key can be removed.")
