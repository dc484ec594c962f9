"""The sign-in form."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """A name and a password; it never says which of the two was wrong."""

    error_messages = {
        "invalid_login": "This user name and password do not belong together. Capital letters count in both.",
        "inactive": "This account has been switched off.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = "Enter your user name"
        self.fields["password"].error_messages["required"] = "Enter your password"
