"""Form fields for the credentials of a cluster."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import TextChoices


class SignInBy(TextChoices):
    """How an account of a cluster signs in."""

    PASSWORD = "password", "User name and password"
    CERTIFICATE = "certificate", "Client certificate"


class TextOrFile(forms.Textarea):
    """A text box with a file input beside it: a file that was chosen replaces the text."""

    needs_multipart_form = True
    max_bytes = 256 * 1024

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """Return the text of the file, or what was typed when there is none."""
        chosen = files.get(f"{name}_file") if files else None
        if not chosen:
            return super().value_from_datadict(data, files, name)
        chosen.seek(0)  # a form reads its values several times
        return str(chosen.read(self.max_bytes).decode("utf-8-sig", "replace")).replace("\0", "\ufffd")
