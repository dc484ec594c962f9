"""Take our own credentials out of what a node sends back: nodes quote requests in their complaints.

Reference: docs/failure-modes.md, S9.
"""

import json
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, quote_plus

from setup_wizard.bootstrap.secret import MASK, Secret
from setup_wizard.bootstrap.text import CUT

LEAST_PIECE = 3  # shorter beginnings of a secret are the ends of many words, and tell nothing


def redact(text: str, secrets: Iterable[Secret], *, username: str = "") -> str:
    """Replace each secret in the text by asterisks, in every spelling in which it may come back.

    Plain, JSON-escaped, URL-encoded, HTML-escaped, base64, and base64 of a Basic sign-in with `username`. Where the
    text was too long and has been cut, the beginning of one at its end is taken out as well.
    """
    spellings = {spelling for secret in secrets if secret for spelling in _spell(secret.reveal(), username)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    return _without_torn_end(text.removesuffix(CUT), spellings) + CUT if text.endswith(CUT) else text


def _without_torn_end(text: str, spellings: Iterable[str]) -> str:
    longest = max(map(len, spellings), default=0) - 1
    for length in range(min(longest, len(text)), LEAST_PIECE - 1, -1):
        if any(spelling.startswith(text[-length:]) for spelling in spellings):
            return text[:-length] + MASK
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
