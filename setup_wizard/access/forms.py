"""The sign-in form, and the first administrator's."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User

if TYPE_CHECKING:
    AnyUserCreationForm = UserCreationForm[User]
else:
    AnyUserCreationForm = UserCreationForm


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


class FirstAdministratorForm(AnyUserCreationForm):
    """The setup token, and the name and password of whoever may do everything from now on."""

    token = forms.CharField(
        label="Setup token",
        max_length=200,
        error_messages={"required": "Enter the setup token"},
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs.pop("autofocus", None)
        self.fields["username"].error_messages["required"] = "Enter a user name"
        self.fields["password1"].error_messages["required"] = "Enter a password"
        self.fields["password2"].error_messages["required"] = "Enter the password again"

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Make the user a superuser."""
        self.instance.is_superuser = self.instance.is_staff = True
        return super().save(commit)
