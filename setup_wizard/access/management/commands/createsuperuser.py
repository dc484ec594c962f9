"""`manage.py createsuperuser`: Django's command, with an audit entry for the new account."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from setup_wizard.access.models import Account


class Command(createsuperuser.Command):
    """Create a superuser and its audit entry: both or neither."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.UserModel = Account
