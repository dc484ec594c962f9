"""Print the token that creates the first administrator."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from setup_wizard.access import first_admin, private_file

FILE = settings.BASE_DIR / "var" / "setup-token"


class Command(BaseCommand):
    """Create a setup token, print it once on stderr, and save it in a file that only this account can read."""

    help = "Print a token that creates the first administrator, once, within 30 minutes; it replaces any earlier token"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, default=FILE, help=f"where to save it, mode 0600 ({FILE})")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        file: Path = options["file"]
        try:
            token = first_admin.create_token()
        except first_admin.AdminExists:
            raise CommandError("there is an administrator already; they can add others under Admin") from None
        minutes = int(first_admin.LIFETIME.total_seconds() // 60)
        page = reverse("access:first-admin")
        self.stderr.write(f"Open {page} within {minutes} minutes and enter this setup token:\n\n{token}\n")
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_file.write(file, f"{token}\n")
        except OSError as error:
            self.stderr.write(f"It could not be saved in {file}: {error.strerror}.")
        else:
            self.stderr.write(f"It is also in {file}.")
