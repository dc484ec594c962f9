"""The forms for signing in, creating the first administrator and changing a password."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    AuthenticationForm,
    PasswordChangeForm,
    UserCreationForm,
)
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import first_admin
from setup_wizard.access.permissions import signed_in_user

if TYPE_CHECKING:
    AnyUserCreationForm = UserCreationForm[User]
    AnyAdminUserCreationForm = AdminUserCreationForm[User]
    AnyAdminPasswordChangeForm = AdminPasswordChangeForm[User]
else:
    AnyUserCreationForm = UserCreationForm
    AnyAdminUserCreationForm = AdminUserCreationForm
    AnyAdminPasswordChangeForm = AdminPasswordChangeForm


class SignInForm(AuthenticationForm):
    """A user name and a password; the error never says which of the two was wrong."""

    error_messages = {
        "invalid_login": "Wrong user name or password. Both are case-sensitive.",
        "inactive": "This account is deactivated.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].validators = []  # the backend refuses impossible names, and counts them
        self.fields["username"].error_messages["required"] = "Enter your user name"
        self.fields["password"].error_messages["required"] = "Enter your password"


RULES_FOR_OTHERS = "At least 12 characters, hard to guess, and not similar to the name or e-mail address of the user."


class NewUserForm(AnyAdminUserCreationForm):
    """A new user with a first password from an administrator; Django's texts speak to the user."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = RULES_FOR_OTHERS


class PasswordOfUserForm(AnyAdminPasswordChangeForm):
    """A new password for another user."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = RULES_FOR_OTHERS


class FirstAdministratorForm(AnyUserCreationForm):
    """The setup token, and the user name and password of the first administrator."""

    token = forms.CharField(
        label="Setup token",
        max_length=200,
        error_messages={"required": "Enter the setup token"},
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs.pop("autofocus", None)
        self.fields["username"].help_text = self.fields["password2"].help_text = ""
        self.fields["username"].error_messages["required"] = "Enter a user name"
        self.fields["password1"].error_messages["required"] = "Enter a password"
        self.fields["password2"].error_messages["required"] = "Enter the password again"

    @sensitive_variables("token")
    def clean_token(self) -> str:
        """Check the token before anything that takes time.

        Raises:
            ValidationError: it does not work.
            AdminExists: an administrator has been created meanwhile.
            TokenLocked: too many wrong tokens were entered.
        """
        token: str = self.cleaned_data["token"]
        try:
            first_admin.check(token)
        except first_admin.WrongToken:
            raise ValidationError("This token does not work") from None
        return token

    def validate_password_for_user(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Check the password only if the token is right: it takes time."""
        if "token" in self.cleaned_data:
            super().validate_password_for_user(user, *args, **kwargs)  # type: ignore[misc]  # not in the stubs

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        """Make the user a superuser."""
        self.instance.is_superuser = self.instance.is_staff = True
        return super().save(commit)


class PasswordForm(PasswordChangeForm):
    """The current password and a new one; a wrong current password counts like a failed sign-in."""

    error_messages = {**PasswordChangeForm.error_messages, "password_incorrect": "Wrong password"}

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(signed_in_user(request), *args, **kwargs)
        self._request = request
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        self.fields["new_password2"].help_text = ""
        self.fields["old_password"].error_messages["required"] = "Enter your current password"
        self.fields["new_password1"].error_messages["required"] = "Enter a new password"
        self.fields["new_password2"].error_messages["required"] = "Enter the new password again"

    @sensitive_variables("given")
    def clean_old_password(self) -> str:
        """Check it with the backend of the sign-in, which limits wrong passwords.

        Raises:
            ValidationError: it is wrong.
            TooManyWrongPasswords: too many were wrong.
        """
        given: str = self.cleaned_data["old_password"]
        if authenticate(self._request, username=self.user.get_username(), password=given) != self.user:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return given

    def validate_password_for_user(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Check the new password only if the current one is right: it takes time."""
        if "old_password" in self.cleaned_data:
            super().validate_password_for_user(user, *args, **kwargs)
