"""`manage.py createsuperuser`: Django's own, and a row of the audit trail for what it makes."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from setup_wizard.access.models import Account


class Command(createsuperuser.Command):
    """Make a superuser, and put down that it was made: both or neither."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.UserModel = Account
