"""Take our own credentials out of what a node sends back: nodes quote requests in their complaints.

Reference: docs/failure-modes.md, S9.
"""

import json
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus

from setup_wizard.bootstrap.secret import MASK, Secret


def redact(text: str, secrets: Iterable[Secret], *, username: str = "") -> str:
    """Replace each secret in the text by asterisks, in every spelling in which it may come back.

    Plain, JSON-escaped, URL-encoded, HTML-escaped, base64, and base64 of a Basic sign-in with `username`.
    """
    spellings = {spelling for secret in secrets if secret for spelling in _spell(secret.reveal(), username)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    return text


def _spell(value: str, username: str) -> Iterable[str]:
    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield quote(raw)
    yield quote(raw, safe="")
    yield quote_plus(raw)
    yield escape(value)
    yield b64encode(raw).decode()
    yield b64encode(username.encode("utf-8", "surrogatepass") + b":" + raw).decode()
