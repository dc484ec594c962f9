"""Keep sign-in links out of every log."""

import logging
import re
from typing import Any

_LINK = re.compile(r"(?i)((?:/|%2f)sign-in(?:/|%2f))[^/?#%\s\"'<>]+")


class RedactSignInLinks(logging.Filter):
    """Replace the token of a sign-in link by "…" in log records.

    Arguments keep their number and order: the formatter of the access log reads them by position.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _redacted(record.msg)
        if isinstance(record.args, dict):
            record.args = {name: _redacted(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(_redacted(value) for value in record.args)
        return True


def redact_sign_in_links(text: str) -> str:
    """Return the text with "…" in place of the token of any sign-in link."""
    return _LINK.sub(r"\1…", text)


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)  # a request or an exception may contain the link when printed
    replaced = redact_sign_in_links(text)
    return value if replaced == text else replaced
