"""What can be entered about an attempt: its sign-in, again, and what a reviewer has to say."""

from typing import Any

from django import forms

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.reviews import LONGEST
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret


class SignInForm(forms.Form):
    """The cluster's administrator, with which the node is asked on."""

    username = forms.CharField(label="User name", max_length=255)
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].initial = attempt.username

    def clean_username(self) -> str:
        """Apply the API's rule for user names."""
        try:
            return rules.check_username(self.cleaned_data["username"])
        except rules.RuleError as problem:
            raise forms.ValidationError(str(problem)) from None

    @property
    def credentials(self) -> Credentials:
        """What was entered, with the password wrapped."""
        return Credentials(username=self.cleaned_data["username"], password=Secret(self.cleaned_data["password"]))


class ReviewForm(forms.Form):
    """A reviewer's note, a mark, or both; its two fields are what `reviews.write` takes."""

    note = forms.CharField(
        label="Note", required=False, max_length=LONGEST, widget=forms.Textarea({"rows": 3, "spellcheck": "true"})
    )
    mark = forms.BooleanField(label="Mark as reviewed", required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse a form that says nothing."""
        said = self.cleaned_data
        if not self.errors and not said.get("note") and not said.get("mark"):
            self.add_error("note", "Write a note, or mark the attempt as reviewed")
        return said
