"""`manage.py changepassword`: as Django's own, with a row of the audit trail for what it changes."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access.models import Account

TRIES = 3


class Command(changepassword.Command):
    """Give somebody another password, and put down that it was given: both or neither."""

    help = "Give a user another password, which ends every session of theirs"

    def handle(self, *args: Any, **options: Any) -> str:
        """Ask for it twice.

        Raises:
            CommandError: there is no such user, or too much of what was typed could not be taken.
        """
        del args
        name = options["username"] or getpass.getuser()
        account = Account.objects.filter(username=name).first()
        if account is None:
            raise CommandError(f"there is no user {name}")
        self.stdout.write(f"Another password for {account}")
        account.set_password(self._ask(account))
        account.save(update_fields=["password"])
        return f"The password of {account} is changed."

    @sensitive_variables()
    def _ask(self, account: Account) -> str:
        for _ in range(TRIES):
            password, again = getpass.getpass("Password: "), getpass.getpass("Password (again): ")
            if password != again:
                self.stderr.write("The two are not the same. Try again.")
                continue
            try:
                validate_password(password, account)
            except ValidationError as wrong:
                self.stderr.write("\n".join(wrong.messages))
                continue
            return password
        raise CommandError(f"nothing was changed, after {TRIES} tries")
