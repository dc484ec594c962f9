"""How names and passwords are checked, whichever page asks."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import clients, tries

LONGEST_NAME = User._meta.get_field("username").max_length or 0


def is_possible_name(name: str) -> bool:
    """Tell whether an account can have this name; what is not possible is not looked for."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


class CountedBackend(ModelBackend):
    """Django's own check, with its tries counted."""

    @sensitive_variables("password")
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Give the user, or None when name and password do not match.

        Raises:
            TooManyTries: the password was not looked at.
            Busy: nor was it here; this try does not count.
        """
        if username is None or password is None:
            return None
        address = clients.address_of(request) if request else ""
        with tries.counted(username, address) as attempt:
            if not is_possible_name(username):
                return None
            user = super().authenticate(request, username, password, **kwargs)
            attempt.was_right = user is not None
        return user
