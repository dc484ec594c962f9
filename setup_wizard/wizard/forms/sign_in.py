"""The account of a cluster that exists: a user name and a password, or a client certificate."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials, InvalidRequest, read_client_certificate
from setup_wizard.bootstrap.rules import check_pem, check_username
from setup_wizard.bootstrap.rules.warnings import warn_username
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.live.fields import SignInBy
from setup_wizard.wizard import drafts
from setup_wizard.wizard.documents import find_value
from setup_wizard.wizard.fields import MultilineField, PemField, RadioField, RadioOption, TextField
from setup_wizard.wizard.forms.credentials import CredentialsForm
from setup_wizard.wizard.forms.step import Difference

SIGN_IN_PATHS: Final[Mapping[str, str]] = {
    "username": "credentials.username",
    "password": "credentials.password",
    "client_cert": "credentials.client_cert",
    "client_key": "credentials.client_key",
    "trusted_ca": "credentials.trusted_ca",
}
SIGN_IN_FIELDS: Final = ("sign_in_by", *SIGN_IN_PATHS)
_BY_PASSWORD: Final = frozenset({"username", "password"})
_BY_CERTIFICATE: Final = frozenset({"client_cert", "client_key", "trusted_ca"})


def _check_authority(text: str) -> str:
    return check_pem(text, "CERTIFICATE")


class SignInForm(CredentialsForm):
    """The way to sign in, and its fields; certificate and key are sealed and never rendered, as a password is."""

    secret_fields: ClassVar[frozenset[str]] = frozenset({"password", "client_cert", "client_key"})

    sign_in_by = RadioField(
        [
            RadioOption(SignInBy.PASSWORD, SignInBy.PASSWORD.label),
            RadioOption(SignInBy.CERTIFICATE, SignInBy.CERTIFICATE.label, "For clusters from 8.2"),
        ],
        label="Sign in with",
        missing="Choose how to sign in.",
        required=False,
    )
    username = TextField(
        label="User name",
        help_text="Usually an e-mail address.",
        rule=check_username,
        warn=warn_username,
        required=False,
        conditional=True,
    )
    client_cert = PemField(
        "CERTIFICATE",
        label="Client certificate",
        help_text="PEM text or a file, with its chain if the cluster needs that. It is not shown again.",
    )
    client_key = PemField(
        "PRIVATE KEY",
        label="Key of the client certificate",
        help_text="PEM text or a file, not encrypted. It is not shown again.",
    )
    trusted_ca = MultilineField(
        label="CA of the cluster",
        help_text="Optional. We check the cluster's certificate against it now, and the node does when it joins.",
        rule=_check_authority,
        required=False,
        conditional=True,
    )

    def __init__(self, *args: Any, **rest: Any) -> None:
        self._certificate: Credentials | None = None  # as typed, when it can sign in
        super().__init__(*args, **rest)

    @classmethod
    def take_values(cls, document: Mapping[str, Any], action: Action) -> dict[str, Any]:
        """Recognize the way to sign in; a certificate is sealed, so the draft has none."""
        by_certificate = bool(find_value(document, "credentials.client_cert"))
        taken = super().take_values(document, action)
        if by_certificate:
            taken["sign_in_by"] = SignInBy.CERTIFICATE.value
        return {name: value for name, value in taken.items() if name not in cls.secret_fields}

    def suggest(self) -> dict[str, Any]:
        """Suggest a password."""
        return {**super().suggest(), "sign_in_by": SignInBy.PASSWORD.value}

    @property
    def by_certificate(self) -> bool:
        """Whether the chosen way is a client certificate."""
        return bool(self["sign_in_by"].value() == SignInBy.CERTIFICATE)

    @property
    def authority(self) -> str:
        """The authority to check the cluster's certificate with; "" when there is none."""
        return str(self.cleaned_data.get("trusted_ca", "")) if self.by_certificate else ""

    @property
    def secret_label(self) -> str:
        """What is stored for a short time only."""
        return "client certificate" if self.by_certificate else "password"

    @property
    def password_expires_at(self) -> datetime | None:
        """When the stored password is deleted; None without one."""
        stored = self._stored()
        return vault.expires_at(self.draft.pk) if stored and stored.password else None

    @property
    def certificate_expires_at(self) -> datetime | None:
        """When the stored client certificate is deleted; None without one."""
        stored = self._stored()
        return vault.expires_at(self.draft.pk) if stored and stored.client_cert else None

    def unused_fields(self) -> frozenset[str]:
        """Name the fields of the other way to sign in."""
        return _BY_PASSWORD if self.by_certificate else _BY_CERTIFICATE

    def own_fields(self) -> list[str]:
        """Keep the way to sign in, too."""
        return [*super().own_fields(), "sign_in_by"]

    def values(self) -> dict[str, Any]:
        """Keep nothing of the other way, and never a secret."""
        kept = super().values()
        emptied = dict.fromkeys(self.unused_fields() & kept.keys(), "")
        return {**kept, **emptied, "sign_in_by": str(self._chosen())}

    def clean_username(self) -> str:
        """Require a user name beside a password."""
        username = str(self.cleaned_data["username"])
        if not username and not self.by_certificate:
            raise forms.ValidationError("Enter the administrator's user name, such as admin@example.com.")
        return username

    def clean_password(self) -> Secret:
        """Require a password where one is used, unless one is stored."""
        return Secret("") if self.by_certificate else super().clean_password()

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Check that certificate and key can sign in, then the rest of the step."""
        names = {"client_cert", "client_key", "trusted_ca"}
        if self.by_certificate and names <= self.cleaned_data.keys():
            self._clean_certificate(self.cleaned_data["client_cert"], self.cleaned_data["client_key"])
        return super().clean()

    @sensitive_variables()
    def _clean_certificate(self, client_cert: Secret, client_key: Secret) -> None:
        if not client_cert and not client_key and self.certificate_expires_at:
            return
        try:
            self._certificate = read_client_certificate(
                client_cert.reveal(), client_key, self.authority, timezone.now()
            )
        except InvalidRequest as mistakes:
            for name, messages in mistakes.fields.items():
                self.add_error(name, forms.ValidationError(list(messages)))

    def _chosen(self) -> SignInBy:
        return SignInBy.CERTIFICATE if self.by_certificate else SignInBy.PASSWORD

    @sensitive_variables()
    def _stored(self) -> Credentials | None:
        try:
            return vault.open_for(self.draft.pk)
        except vault.SecretUnavailable:
            return None

    def _differences(self) -> Iterator[Difference]:
        yield from super()._differences()
        typed, stored = self._certificate, self._stored()
        if typed and not (stored and typed.client_key == stored.client_key and typed.client_cert == stored.client_cert):
            yield Difference("Client certificate", "another one, or none", "the one you entered; enter it again")

    def keep_valid_password(self) -> None:
        """Seal a valid client certificate, too, although another field is wrong."""
        if not self.by_certificate:
            super().keep_valid_password()
        elif self._certificate and not (self.is_stale and not self.is_valid()):
            self._keep()

    def _seal(self) -> None:
        if not self.by_certificate:
            super()._seal()
        elif self._certificate:
            drafts.store_credentials(self.draft, self._certificate)
        elif self.certificate_expires_at:
            drafts.change_trusted_ca(self.draft, self.authority)
