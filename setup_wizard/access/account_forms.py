"""The forms of the account page: an API token, and the time zone."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import times, tokens

if TYPE_CHECKING:
    UserField = forms.ModelChoiceField[User]
else:
    UserField = forms.ModelChoiceField

LIFETIMES = [(30, "30 days"), (90, "90 days"), (365, "1 year"), (0, "No end")]
DEFAULT_LIFETIME = 90


class TokenForm(forms.Form):
    """What a token is for, and how long it works."""

    name = forms.CharField(
        label="Purpose",
        max_length=100,
        help_text="For example: nightly report.",
        error_messages={"required": "Enter what the token is for"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(label="Works for", choices=LIFETIMES, coerce=int, initial=DEFAULT_LIFETIME)

    @sensitive_variables()
    def issue(self, user: User, *, by: User) -> str:
        """Create the token of a valid form, and return it; "" when the user has too many, which is then an error."""
        days: int = self.cleaned_data["days"]
        lifetime = timedelta(days=days) if days else None
        try:
            return tokens.issue(user, by=by, name=self.cleaned_data["name"], lifetime=lifetime)
        except tokens.TooManyTokens:
            self.add_error(None, f"{user} has {tokens.MAX_VALID} valid tokens. Revoke one first.")
            return ""


class TokenForUserForm(TokenForm):
    """The same for any user that the administrator may change."""

    user = UserField(User.objects.none(), label="User", error_messages={"required": "Choose a user"})
    field_order = ["user", "name", "days"]

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = User.objects.filter(is_active=True).order_by("username")
        field = self.fields["user"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = active if by.is_superuser else active.filter(is_superuser=False)


class TimeZoneForm(forms.Form):
    """The time zone in which pages show times."""

    time_zone = forms.ChoiceField(
        label="Time zone",
        required=False,
        choices=lambda: [
            ("", "The browser's time zone"),
            ("UTC", "UTC"),
            *((area, [(name, name.replace("_", " ")) for name in names]) for area, names in times.zones_by_area()),
        ],
        error_messages={"invalid_choice": "Choose a time zone from the list"},
    )
