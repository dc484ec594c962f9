"""What the last step of every action shares: the credentials of the cluster's administrator."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django import forms

from setup_wizard.attempts import vault
from setup_wizard.bootstrap.rules import check_password, check_username
from setup_wizard.bootstrap.rules.warnings import warn_password_spelling, warn_username
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.wizard import drafts
from setup_wizard.wizard.fields import PasswordField, TextField
from setup_wizard.wizard.forms.step import Difference, StepForm
from setup_wizard.wizard.models import Draft


class CredentialsForm(StepForm):
    """What all three actions share: the user name, and the password, which is sealed and never rendered."""

    next_label = "Next: review"
    secret_fields = frozenset({"password"})

    username = TextField(
        label="User name",
        help_text="Usually an e-mail address: the cluster sends its alerts there.",
        rule=check_username,
        warn=warn_username,
        missing="Enter the administrator's user name, such as admin@example.com.",
    )
    password = PasswordField(label="Password", rule=check_password)

    @classmethod
    def is_complete(cls, draft: Draft) -> bool:
        """Whether the step was saved and its password has not expired."""
        return super().is_complete(draft) and vault.expires_at(draft.pk) is not None

    @property
    def password_entered_at(self) -> datetime | None:
        """When the stored password was entered; None without one."""
        return drafts.password_entered_at(self.draft)

    @property
    def password_expires_at(self) -> datetime | None:
        """When the stored password is deleted; None without one."""
        return vault.expires_at(self.draft.pk)

    @property
    def secret_label(self) -> str:
        """What is stored for a short time only."""
        return "password"

    @property
    def notice(self) -> str:
        """Ask for the password alone, when everything else is filled in."""
        if self.key not in self.draft.data or vault.expires_at(self.draft.pk) or self.is_bound:
            return ""
        if self.key not in self.draft.step_versions:
            return f"Prefilled from the earlier setup. Enter the {self.secret_label} again."
        return f"The {self.secret_label} was deleted after 15 minutes. Enter it again; everything else is saved."

    def clean_password(self) -> Secret:
        """Require a password unless one is stored."""
        password: Secret = self.cleaned_data["password"]
        if not password and not self.password_expires_at:
            raise forms.ValidationError("Enter the administrator's password.")
        return password

    def warnings_for(self, name: str, value: Any) -> Sequence[str]:
        """Warn about invisible characters in a password, too."""
        if not isinstance(value, Secret):
            return super().warnings_for(name, value)
        return warn_password_spelling(value.reveal())

    def _differences(self) -> Iterator[Difference]:
        yield from super()._differences()
        typed = self.cleaned_data.get("password")
        if typed and not self._is_stored(typed):
            yield Difference("Password", "another one, or none", "the one you typed; enter it again")

    def _is_stored(self, typed: Secret) -> bool:
        try:
            return vault.open_for(self.draft.pk).password == typed
        except vault.SecretUnavailable:
            return False

    def save(self) -> bool:
        """Write the step, then seal the credentials."""
        if not super().save():
            return False
        if not self.is_duplicate:
            self._seal()
        return True

    def keep_valid_password(self) -> None:
        """Seal a valid password although another field is wrong: it cannot be shown again.

        The draft gets a new version first, so that a review page from before cannot start with it.
        """
        typed = self.cleaned_data.get("password") or (self.password_expires_at and self.cleaned_data.get("username"))
        if not typed or (self.is_stale and not self.is_valid()):
            return
        self._keep()

    def _keep(self) -> None:
        with suppress(drafts.Stale):
            drafts.save(self.draft, "")
            self._seal()

    def _seal(self) -> None:
        username = str(self.cleaned_data.get("username", ""))
        if password := self.cleaned_data.get("password"):
            drafts.store_password(self.draft, username, password)
        elif self.password_expires_at and username:
            drafts.change_username(self.draft, username)
