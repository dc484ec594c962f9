"""`manage.py changepassword`: like Django's command, with an audit entry for the change."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access.models import Account

MAX_TRIES = 3


class Command(changepassword.Command):
    """Set a user's password and write its audit entry: both or neither."""

    help = "Set a new password for a user, which ends all of their sessions"

    def handle(self, *args: Any, **options: Any) -> str:
        del args
        name = options["username"] or getpass.getuser()
        account = Account.objects.filter(username=name).first()
        if account is None:
            raise CommandError(f"there is no user {name}")
        self.stdout.write(f"New password for {account}")
        account.set_password(self._ask(account))
        account.save(update_fields=["password"])
        return f"The password of {account} has been changed."

    @sensitive_variables()
    def _ask(self, account: Account) -> str:
        for _ in range(MAX_TRIES):
            password, again = getpass.getpass("Password: "), getpass.getpass("Password (again): ")
            if password != again:
                self.stderr.write("The passwords do not match. Try again.")
                continue
            try:
                validate_password(password, account)
            except ValidationError as invalid:
                self.stderr.write("\n".join(invalid.messages))
                continue
            return password
        raise CommandError(f"nothing was changed, after {MAX_TRIES} tries")
