"""Take our own credentials out of what a node says of its bootstrap, before anything is stored. Reference: S9."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import LONGEST_WORD, Status
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.error_body import ErrorBody
from setup_wizard.nodes.limits import DETAIL_CHARACTERS
from setup_wizard.nodes.redaction import redact


@sensitive_variables()
def scrub_status(status: Status, credentials: Credentials | None) -> Status:
    """Give the same status with every spelling of the credentials' secrets replaced by asterisks."""
    if credentials is None:
        return status
    texts = {name: getattr(status, name) for name in ("word", "start_time", "end_time", "error_code")}
    # asterisks may be longer than what they stand for, and a column holds only so much
    fit: dict[str, Any] = {
        name: text and clean(_scrubbed(text, credentials), LONGEST_WORD) for name, text in texts.items()
    }
    return replace(status, error_details=_scrubbed(dict(status.error_details), credentials), **fit)


@sensitive_variables()
def scrub_text(text: str, credentials: Credentials | None, limit: int = LONGEST_WORD) -> str:
    """Give one short text of a node's, scrubbed likewise."""
    return clean(_scrubbed(text, credentials), limit) if credentials else text


@sensitive_variables()
def scrub_body(body: ErrorBody, credentials: Credentials | None) -> str:
    """Give what an error answer says as one line, masked before it is cleaned: cleaning changes a secret's spelling.

    Without the credentials there is nothing to mask with, and only the code is kept.
    """
    if credentials is None:
        return clean(body.code, LONGEST_WORD)
    return clean(_scrubbed(body.words, credentials), DETAIL_CHARACTERS)


@sensitive_variables()
def scrub_certificate(claims: Mapping[str, object], credentials: Credentials | None) -> dict[str, object]:
    """Give what a certificate says of itself, scrubbed likewise; its fingerprint is computed here, and left alone."""
    if credentials is None:
        return dict(claims)
    return {name: said if name == "fingerprint" else _scrubbed(said, credentials) for name, said in claims.items()}


@sensitive_variables()
def _scrubbed(value: Any, credentials: Credentials) -> Any:
    if isinstance(value, str):
        return redact(value, [credentials.password, credentials.client_key], username=credentials.username)
    if isinstance(value, dict):
        return {_scrubbed(key, credentials): _scrubbed(item, credentials) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, credentials) for item in value]
    return value
