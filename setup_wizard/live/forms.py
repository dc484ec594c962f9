"""The credentials that an operator enters for an attempt."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import throttle
from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.scrub import redaction_for
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import membership
from setup_wizard.nodes.membership import ClusterAnswer
from setup_wizard.nodes.models import TrustedCertificate


class CredentialsForm(forms.Form):
    """The credentials of a cluster administrator, with which polling continues."""

    username = forms.CharField(label="User name", max_length=255, error_messages={"required": "Enter the user name."})
    password = forms.CharField(
        label="Password",
        strip=False,
        error_messages={"required": "Enter the password."},
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "current-password"}),
    )

    send_anyway = forms.BooleanField(
        label="Send these credentials even if that may lock the account for everyone.", required=False
    )

    def __init__(self, *args: Any, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attempt = attempt
        self.fields["username"].initial = attempt.username

    def clean_username(self) -> str:
        """Apply the API's rule for user names."""
        try:
            return rules.check_username(self.cleaned_data["username"])
        except rules.RuleError as problem:
            raise forms.ValidationError(str(problem)) from None

    def clean_password(self) -> str:
        """Apply the API's rule for passwords."""
        try:
            return rules.check_password(self.cleaned_data["password"])
        except rules.RuleError as problem:
            raise forms.ValidationError(problem.message) from None

    @property
    def credentials(self) -> Credentials:
        """The entered credentials."""
        return Credentials(username=self.cleaned_data["username"], password=Secret(self.cleaned_data["password"]))


class ClusterForm(CredentialsForm):
    """The credentials with which we ask a node once which cluster it is in; they are not stored."""

    consent = forms.BooleanField(error_messages={"required": "Nothing was sent. Tick the checkbox to allow it."})

    def __init__(self, *args: Any, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, attempt=attempt, **kwargs)
        self.fields[
            "consent"
        ].label = f"Send these credentials to {attempt.address} if it shows the approved certificate."
        # otherwise a browser might fill in the password of this site, which would then be sent to the node
        self.fields["password"].widget.attrs["autocomplete"] = "new-password"
        self.fields["username"].widget.attrs["autocomplete"] = "off"

    @sensitive_variables()
    def find_cluster(self, approval: TrustedCertificate, *, by: User) -> ClusterAnswer | None:
        """Ask the node for its cluster; None, with errors on the form, when nothing was sent."""
        if not self.is_valid():
            return None
        account = sign_ins.Account((approval.fingerprint,), self.credentials.username)
        if self.cleaned_data["send_anyway"]:
            sign_ins.allow_once(account, self.credentials)
        try:
            reserved = sign_ins.reserved(account, self.credentials)
            redaction = redaction_for(self.attempt)
            return membership.find_cluster(approval, self.credentials, by=by, reserved=reserved, redaction=redaction)
        except (throttle.TooManyRequests, sign_ins.SignInBlocked) as refusal:
            self.add_error(None, refusal.message)
            return None
