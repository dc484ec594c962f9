"""Print the token with which the first administrator is made."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from setup_wizard.access import founding

FILE = settings.BASE_DIR / "var" / "setup-token"


class Command(BaseCommand):
    """Make a setup token, say it once on stderr, and keep it in a file that only this account can read."""

    help = "Print a token that makes the first administrator, once, within 30 minutes; an earlier one ends with that"

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be asked for."""
        parser.add_argument("--file", type=Path, default=FILE, help=f"where to keep it, mode 0600 ({FILE})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token.

        Raises:
            CommandError: there is an administrator already.
        """
        del args
        file: Path = options["file"]
        try:
            token = founding.create_token()
        except founding.Founded:
            raise CommandError("there is an administrator already; others are made under Admin") from None
        minutes = int(founding.LIFETIME.total_seconds() // 60)
        page = reverse("access:first")
        self.stderr.write(f"Open {page} within {minutes} minutes and enter this setup token:\n\n{token}\n")
        try:
            _write(file, token)
        except OSError as error:
            self.stderr.write(f"It could not be kept in {file}: {error.strerror}.")
        else:
            self.stderr.write(f"It is in {file}, too.")


def _write(file: Path, token: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(f"{token}\n")
    half.replace(file)
