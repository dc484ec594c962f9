"""Issue and revoke API tokens."""

import argparse
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from setup_wizard.access import links, tokens

LIFETIME_DAYS = 365
LONGEST_LIFETIME_DAYS = 3650


def _days(text: str) -> int:
    if not (text.isdecimal() and int(text) <= LONGEST_LIFETIME_DAYS):
        raise argparse.ArgumentTypeError(f"a number of days up to {LONGEST_LIFETIME_DAYS}, or 0 for no end")
    return int(text)


class Command(BaseCommand):
    """Print a new API token of a user, once; or revoke one."""

    help = "Print a new API token of a user, the only time that it can be read; or revoke one by its first characters"

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what can be asked for."""
        parser.add_argument("user", help="the user whom the token speaks for")
        parser.add_argument("--name", default="", help="what it is for, to tell it from others")
        parser.add_argument(
            "--days", type=_days, default=LIFETIME_DAYS, help=f"how long it works ({LIFETIME_DAYS}); 0 for no end"
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--revoke", metavar="PREFIX", help="end the token that begins so, and issue none")
        what.add_argument(
            "--file", type=Path, help="write it to this file, mode 0600, unless the one that is there still works"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue a token or revoke one.

        Raises:
            CommandError: there is no such user or token, or the user is switched off.
        """
        del args
        user = _user(options["user"])
        if options["revoke"]:
            self._revoke(user, options["revoke"])
            return
        if not user.is_active:
            raise CommandError(f"{user} is switched off, so a token would not work")
        file: Path | None = options["file"]
        if file and file.exists() and tokens.find_user(file.read_text().strip()) == user:
            return
        lifetime = timedelta(days=options["days"]) if options["days"] else None
        token = tokens.issue(user, name=options["name"][:100], lifetime=lifetime)
        if file:
            _write(file, token)
        else:
            self.stdout.write(token)

    def _revoke(self, user: User, prefix: str) -> None:
        shown = prefix[: tokens.PREFIX_LENGTH]  # whoever pastes the whole token need not see it again
        if not tokens.revoke(user, prefix):
            raise CommandError(f"{user} has no working token that begins with {shown}")
        self.stdout.write(f"{shown} no longer works.")


def _user(name: str) -> User:
    if settings.SETUP_WIZARD_DEMO and name == links.ADMINISTRATOR:
        return links.administrator()  # who would otherwise be made by the first link that is opened
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"there is no user {name}; `manage.py createsuperuser` makes the first")
    return user


def _write(file: Path, token: str) -> None:
    half = file.with_name(f".{file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(f"{token}\n")
    half.replace(file)
