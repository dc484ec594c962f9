"""How user names and passwords are checked, for every page."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import client_address, password_limits

MAX_NAME_LENGTH = User._meta.get_field("username").max_length or 0


def is_possible_name(name: str) -> bool:
    """Tell whether an account can have this name."""
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()


class LimitedBackend(ModelBackend):
    """Django's own check, with a limit on wrong passwords."""

    @sensitive_variables("password")
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user, or None when name or password is wrong.

        Raises:
            TooManyWrongPasswords: the limit is reached; the password was not checked.
            HasherBusy: the password was not checked; this does not count.
        """
        if username is None or password is None:
            return None
        address = client_address.of_request(request) if request else ""
        with password_limits.limited(username, address) as check:
            if not is_possible_name(username):
                return None
            user = super().authenticate(request, username, password, **kwargs)
            check.was_right = user is not None
        return user

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session with the preferences that every page needs, in one query."""
        user = User.objects.select_related("preferences").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
