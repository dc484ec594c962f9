"""Make everything in the database that the demo begins with, and print a link that signs in once."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from setup_wizard.access import links


class Command(BaseCommand):
    """What three commands do, in one process: to load everything takes each of them longer than to do it."""

    help = "Migrate, write an administrator's API token to a file, print the path of a sign-in link: for `make demo`"
    requires_system_checks = ()  # `migrate` makes them

    def add_arguments(self, parser: CommandParser) -> None:
        """Say where the token is to be."""
        parser.add_argument("token_file", type=Path, help="a token that is there already and still works is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the database up to date, then make the token and the link.

        Raises:
            CommandError: outside the demo, or one of the three commands failed.
        """
        del args
        if not settings.SETUP_WIZARD_DEMO:
            raise CommandError("this is for the demo alone; use `manage.py migrate` and `manage.py createsuperuser`")
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        call_command("api_token", links.ADMINISTRATOR, name="make demo", days=0, file=options["token_file"])
        call_command("sign_in_link", stdout=self.stdout)
