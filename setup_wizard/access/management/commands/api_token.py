"""Issue and revoke API tokens."""

import argparse
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from setup_wizard.access import private_file, tokens

LIFETIME_DAYS = 365
MAX_LIFETIME_DAYS = 3650


def _days(text: str) -> int:
    if not (text.isdecimal() and int(text) <= MAX_LIFETIME_DAYS):
        raise argparse.ArgumentTypeError(f"a number of days up to {MAX_LIFETIME_DAYS}, or 0 for no end")
    return int(text)


class Command(BaseCommand):
    """Print a new API token of a user, once; or revoke one."""

    help = "Print a new API token of a user, which cannot be shown again; or revoke one by its first characters"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="the user whose permissions the token has")
        parser.add_argument("--name", default="", help="what the token is for")
        parser.add_argument(
            "--days", type=_days, default=LIFETIME_DAYS, help=f"how long it works ({LIFETIME_DAYS}); 0 for no end"
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--revoke", metavar="PREFIX", help="revoke the tokens with this prefix, and issue none")
        what.add_argument(
            "--file", type=Path, help="write it to this file, mode 0600, unless the file has a valid token already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        user = _user(options["user"])
        if options["revoke"]:
            self._revoke(user, options["revoke"])
            return
        if not user.is_active:
            raise CommandError(f"{user} is deactivated, so a token would not work")
        file: Path | None = options["file"]
        if file and file.exists() and tokens.find_user(file.read_text().strip()) == user:
            return
        lifetime = timedelta(days=options["days"]) if options["days"] else None
        token = tokens.issue(user, name=options["name"][:100], lifetime=lifetime)
        if file:
            private_file.write(file, f"{token}\n")
        else:
            self.stdout.write(token)

    def _revoke(self, user: User, prefix: str) -> None:
        shown = prefix[: tokens.PREFIX_LENGTH]  # a whole token may have been pasted
        if not tokens.revoke(user, prefix):
            raise CommandError(f"{user} has no valid token that begins with {shown}")
        self.stdout.write(f"{shown} no longer works.")


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"there is no user {name}; `manage.py createsuperuser` creates the first")
    return user
