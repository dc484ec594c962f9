"""A draft from the JSON of the bootstrap API: pasted, or a dropped file."""

import json
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import User
from django.forms import Field
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials, InvalidRequest, read_client_certificate, read_partial
from setup_wizard.bootstrap.request.fields import MAX_ENTRIES
from setup_wizard.bootstrap.strict_json import DuplicateKeys, InvalidJson, read_json
from setup_wizard.bootstrap.text import clean
from setup_wizard.wizard import drafts, request_mapping, steps
from setup_wizard.wizard.documents import find_value
from setup_wizard.wizard.fields import CheckboxField, ListField
from setup_wizard.wizard.models import IMPORT, Draft

MAX_NAMES: Final = 20
MAX_SHOWN: Final = 4096  # characters of an invalid value
_NOT_IN_PAGES: Final = ("client_cert", "client_key", "trusted_ca")
_FREE_OBJECTS: Final = ("witness_disk", "user_defined_modules")  # asterisks in them are kept, and Review says so
_SIGN_IN: Final = (
    "Only a join can sign in with a client certificate. Enter a user name and a password in the last step."
)


class NotImportable(ValueError):
    """A text that makes no draft; `message` shows nothing of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@sensitive_variables()
def import_draft(text: str, *, by: User) -> Draft:
    """Save the draft that `text` describes; a password is sealed for 15 minutes, as if it had been typed.

    Raises:
        NotImportable: the text is not one JSON object.
    """
    draft, credentials = read_draft(text, by=by)
    drafts.add(draft)
    if credentials and (credentials.password or credentials.client_key):
        drafts.store_credentials(draft, credentials)
    return draft


@sensitive_variables()
def read_draft(text: str, *, by: User) -> tuple[Draft, Credentials | None]:
    """Return an unsaved draft with each value in its step, and the credentials that are valid.

    Invalid values go to their steps too, with a message beside the field. Of unknown keys only the names are kept.

    Raises:
        NotImportable: the text is not one JSON object.
    """
    document, address, ignored = _unwrap(_read(text))
    document = _without_placeholders(document)
    partial = read_partial(document)
    request, errors = partial.request, {path: list(messages) for path, messages in partial.errors.items()}
    credentials = request.credentials
    if credentials and not credentials.password and (credentials.client_cert or credentials.client_key):
        if request.action is Action.JOIN:
            mistakes = _certificate_errors(credentials)
        else:
            mistakes = {name: [_SIGN_IN] for name in _NOT_IN_PAGES if getattr(credentials, name)}
        if mistakes:
            errors |= {f"credentials.{name}": messages for name, messages in mistakes.items()}
            credentials = None
    draft = Draft(owner=by, action=request.action, address=address)
    fields = {
        path: (step.form_class, name)
        for step in steps.for_draft(draft)
        for name, path in step.form_class.paths_for(draft.chosen_action).items()
    }
    draft.data = request_mapping.step_data(draft, request.redacted())
    for path in errors.keys() & fields.keys():
        form, name = fields[path]
        if form.key in draft.data and name not in form.secret_fields:
            draft.data[form.key][name] = _as_typed(form.base_fields[name], find_value(document, path))
    # a step without a value is still to be filled in
    draft.data = {key: values for key, values in draft.data.items() if values}
    unknown = [*ignored, *partial.unknown]
    notes = [f"Not imported: {path}. {' '.join(errors[path])}" for path in errors if path not in fields]
    if unknown:
        more = f" and {len(unknown) - MAX_NAMES} more" if len(unknown) > MAX_NAMES else ""
        notes.append(f"Not imported, unknown keys: {', '.join(unknown[:MAX_NAMES])}{more}.")
    draft.data[IMPORT] = {"errors": {path: errors[path] for path in errors if path in fields}, "notes": notes}
    return draft, credentials


@sensitive_variables()
def _certificate_errors(credentials: Credentials) -> dict[str, list[str]]:
    try:
        read_client_certificate(credentials.client_cert, credentials.client_key, credentials.trusted_ca, timezone.now())
    except InvalidRequest as mistakes:
        return mistakes.fields
    return {}


def _read(text: str) -> Mapping[str, Any]:
    message = ""
    document: object = None
    try:
        document = read_json(text.encode(errors="replace"))
    except DuplicateKeys as error:
        message = f"More than once in one object: {', '.join(error.paths)}. Keep one of each."
    except InvalidJson as error:
        message = f"This cannot be read: {error.reason}{_place(text)}."
    else:
        if not isinstance(document, dict):
            message = "Paste one JSON object, from { to }."
    if message or not isinstance(document, dict):
        raise NotImportable(message)  # outside of the handler: the parser's error holds the text
    return document


def _place(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f" at line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError):
        return ""
    return ""


def _unwrap(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], str, list[str]]:
    """If this is the body of the API's start call, take the request, the address and the other names out of it."""
    inner = document.get("bootstrap")
    if not isinstance(inner, dict) or "action" in document:
        return document, "", []
    address = document.get("address")
    rest = [clean(key, 60) or "?" for key in document if key not in {"bootstrap", "address"}]
    return inner, address.strip()[:300] if isinstance(address, str) else "", rest


def _without_placeholders(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out texts of asterisks: they stand for a value that was not exported."""
    kept: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and key not in _FREE_OBJECTS:
            kept[key] = _without_placeholders(value)
        elif not (isinstance(value, str) and len(value) > 2 and set(value.strip()) == {"*"}):
            kept[key] = value
    return kept


def _as_typed(field: Field, value: Any) -> str | list[str]:
    """Write a value that is not valid as it would be typed into its field; a checkbox stays empty."""
    if isinstance(field, CheckboxField):
        return ""
    if isinstance(field, ListField):
        return [_text(entry) for entry in (value if isinstance(value, list) else [value])[:MAX_ENTRIES]]
    return _text(value)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text.replace("\0", "")[:MAX_SHOWN]
