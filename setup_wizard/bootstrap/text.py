"""Text from nodes and other untrusted sources, made safe to store and show.

What a node sends ends up in rows, pages, logs and terminals. PostgreSQL rejects NUL, every encoder rejects lone
surrogates, escape sequences change a terminal, and direction marks change how a text reads.
"""

import unicodedata

ELLIPSIS = "…"
_SPACES = "\t\n\v\f\r\u0085\u2028\u2029"
_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_HIDDEN = {"Cc", "Cf", "Cs"}


def clean(text: str, limit: int) -> str:
    r"""Give one line of at most `limit` visible characters; line breaks become spaces.

    NUL is dropped, other control and direction characters are escaped (`\\x1b`), and a text that is cut ends in an
    ellipsis. Cleaning twice changes nothing.
    """
    # twice the limit allows for spaces and NULs at the start, and bounds the work
    visible = "".join(map(_show, text[: 2 * limit])).strip()
    if len(visible) <= limit:
        return visible
    return visible[: limit - 1] + ELLIPSIS


def has_controls(text: str) -> bool:
    """Tell whether the text has control characters, direction marks or lone surrogates."""
    return any(unicodedata.category(character) in _HIDDEN for character in text)


def trim(text: str) -> str:
    """Remove what a paste adds at both ends: spaces of every kind, and characters of no width."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(_NO_WIDTH)
    return text


def is_encodable(text: str) -> bool:
    """Tell whether the text can be sent as UTF-8: JSON can spell lone surrogates, which cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _show(character: str) -> str:
    if character == "\0":
        return ""
    if character in _SPACES:
        return " "
    if unicodedata.category(character) in _HIDDEN:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return character
