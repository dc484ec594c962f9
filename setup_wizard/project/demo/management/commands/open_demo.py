"""Prepare the demo's database and static files, and print a one-time sign-in link."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from setup_wizard.project.demo import sign_in_links


class Command(BaseCommand):
    """Run four commands in one process: starting each of them takes longer than its work."""

    help = "Migrate, collect static files, write an API token to a file, print a sign-in path: for `make demo`"
    requires_system_checks = ()  # `migrate` runs them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("token_file", type=Path, help="a valid token in it is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        call_command("collectstatic", interactive=False, verbosity=0)
        admin = sign_in_links.get_or_create_admin()
        call_command("api_token", admin.username, name="make demo", days=0, file=options["token_file"])
        call_command("sign_in_link", stdout=self.stdout)
