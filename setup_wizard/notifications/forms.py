"""The form of a webhook."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.boundfield import BoundField
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import guard
from setup_wizard.nodes.errors import AddressForbidden, NodeError
from setup_wizard.notifications import sending
from setup_wizard.notifications.models import Webhook
from setup_wizard.notifications.secrets import WebhookSecrets, make_key, open_for, seal
from setup_wizard.notifications.sending import InvalidURL, ReceiverURL

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Webhook]
else:
    AnyModelForm = forms.ModelForm


class WebhookForm(AnyModelForm):
    """A receiver and what it gets. The URL is never shown again: an empty field keeps it."""

    url = forms.CharField(
        label="URL",
        max_length=sending.MAX_URL,
        required=False,
        help_text="It begins with https:// and is stored encrypted. Only its host is shown afterwards.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )

    class Meta:
        model = Webhook
        fields = ["name", "format", "on_ended", "on_needs_operator", "on_run_ended", "is_enabled"]
        error_messages = {
            "name": {"required": "Enter a name", "unique": "Another webhook has this name. Enter another one."}
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance._state.adding
        self._url: Secret | None = None
        if not self.is_new:
            self.fields["url"].label = "New URL"
            self.fields["url"].help_text = f"Leave it empty to keep the present one, at {self.instance.host}."

    @property
    def told(self) -> list[BoundField]:
        """The fields that say what it gets."""
        return [self[name] for name in ("on_ended", "on_needs_operator", "on_run_ended")]

    @sensitive_variables()
    def clean_url(self) -> str:
        """Check the URL, and that messages may be sent to it; no page gets it back.

        Raises:
            ValidationError: it is not the URL of a receiver, or its address is not allowed.
        """
        text = self.cleaned_data["url"]
        if not text:
            if self.is_new:
                raise forms.ValidationError("Enter the URL of the receiver")
            return ""
        try:
            url = ReceiverURL.parse(text)
            guard.resolve(url.address, guard.policy_of(sending.NETWORKS, ports=None))
        except (InvalidURL, AddressForbidden) as error:
            raise forms.ValidationError(error.message) from None
        except NodeError as error:
            raise forms.ValidationError(sending.explain(error, url.address.host)) from None
        self._url = Secret(text.strip())
        self.instance.host = url.host_header
        return ""

    def clean(self) -> dict[str, Any]:
        """Check that there is something to tell."""
        fields = super().clean() or {}
        if not any(fields.get(field.name) for field in self.told):
            self.add_error("on_ended", "Choose at least one")
        return fields

    def store(self, *, previous: Webhook | None = None) -> Secret | None:
        """Save the row, and encrypt the URL if one was entered; return the signing key if a new one was made.

        `previous` is the row as stored. If its key cannot be decrypted, a new one is made.

        Raises:
            vault.KeyUnusable: a URL was entered, and no key is configured to encrypt it.
        """
        made = None
        if self._url is not None:
            key = self._stored_key(previous)
            if not key:
                key = made = make_key()
            seal(self.instance, WebhookSecrets(self._url, key))
        self.instance.save()
        return made

    def _stored_key(self, previous: Webhook | None) -> Secret | None:
        if previous is None:
            return None
        try:
            return open_for(previous).key
        except vault.SecretUnavailable:
            return None
