"""The credentials that an operator enters for an attempt."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import throttle
from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.scrub import redaction_for
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.request import Credentials, InvalidRequest, read_client_certificate
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.live.fields import SignInBy, TextOrFile
from setup_wizard.nodes import membership
from setup_wizard.nodes.membership import ClusterAnswer
from setup_wizard.nodes.models import TrustedCertificate


class CredentialsForm(forms.Form):
    """The credentials of a cluster administrator, with which polling continues: a password, or a client certificate."""

    sign_in_by = forms.ChoiceField(
        label="Sign in with",
        choices=SignInBy.choices,
        initial=SignInBy.PASSWORD,
        required=False,
        widget=forms.RadioSelect,
    )
    username = forms.CharField(label="User name", max_length=255, required=False)
    password = forms.CharField(
        label="Password",
        strip=False,
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "current-password"}),
    )
    client_cert = forms.CharField(label="Client certificate", required=False, widget=TextOrFile)
    client_key = forms.CharField(label="Key of the client certificate", required=False, widget=TextOrFile)

    send_anyway = forms.BooleanField(
        label="Send these credentials even if that may lock the account for everyone.", required=False
    )

    def __init__(self, *args: Any, attempt: Attempt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attempt = attempt
        self.fields["username"].initial = attempt.username
        if not attempt.username:
            self.fields["sign_in_by"].initial = SignInBy.CERTIFICATE

    @property
    def by_password(self) -> list[BoundField]:
        """The fields of an account with a password."""
        return [self["username"], self["password"]]

    @property
    def by_certificate(self) -> list[BoundField]:
        """The fields of an account with a client certificate; their values are never rendered."""
        return [self["client_cert"], self["client_key"]]

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Apply the API's rules to the fields of the chosen way to sign in."""
        entered = self.cleaned_data
        if entered.get("sign_in_by") == SignInBy.CERTIFICATE:
            self._clean_certificate(entered)
        else:
            self._clean_password(entered)
        return entered

    @sensitive_variables()
    def _clean_certificate(self, entered: dict[str, Any]) -> None:
        if not {"client_cert", "client_key"} <= entered.keys():
            return
        key = Secret(entered.pop("client_key"))
        try:
            self._credentials = read_client_certificate(entered.pop("client_cert"), key, "", timezone.now())
        except InvalidRequest as mistakes:
            for name, messages in mistakes.fields.items():
                self.add_error(name, forms.ValidationError(list(messages)))

    @sensitive_variables()
    def _clean_password(self, entered: dict[str, Any]) -> None:
        rules_of = {
            "username": (rules.check_username, "Enter the user name."),
            "password": (rules.check_password, "Enter the password."),
        }
        for name, (check, missing) in rules_of.items():
            if name not in entered:
                continue
            try:
                entered[name] = check(entered[name]) if entered[name] else ""
            except rules.RuleError as problem:
                self.add_error(name, problem.message)
            else:
                if not entered[name]:
                    self.add_error(name, missing)
        if not self.errors:
            self._credentials = Credentials(username=entered["username"], password=Secret(entered["password"]))

    @property
    def credentials(self) -> Credentials:
        """The entered credentials, of a valid form."""
        return self._credentials


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
