"""`manage.py rotate_credentials`: encrypt all stored credentials with the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from setup_wizard.attempts import vault


class Command(BaseCommand):
    """Encrypt all stored credentials with the first key."""

    help = (
        "Encrypt the credentials of all setups with the first key of SETUP_WIZARD_CREDENTIAL_KEYS. "
        "Run it when every process has the new key. It is safe to run again"
    )

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            done = vault.rotate()
        except vault.KeyUnusable as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"Encrypted with key {done.key_id}: {done.resealed}.")
        if done.unopened:
            raise CommandError(
                f"No configured key decrypts {done.unopened}. Add the key that encrypted them, or leave it out: these "
                "setups then ask for the credentials again"
            )
        self.stdout.write("You can remove all older keys.")
