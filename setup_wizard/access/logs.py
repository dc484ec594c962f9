"""Keep sign-in links out of every log."""

import logging
import re
from typing import Any

_LINK = re.compile(r"(?i)((?:/|%2f)sign-in(?:/|%2f))[^/?#%\s\"'<>]+")


class NoSignInLink(logging.Filter):
    """Replace the token of a sign-in link by "…" in whatever a record is about to say.

    Arguments keep their number and order, because the access log's formatter takes them apart by position.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record where it names a link; every record passes."""
        record.msg = _redacted(record.msg)
        if isinstance(record.args, dict):
            record.args = {name: _redacted(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(_redacted(value) for value in record.args)
        return True


def without_link(text: str) -> str:
    """Give the text with "…" in place of the token of any sign-in link."""
    return _LINK.sub(r"\1…", text)


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)  # a request, an exception: it is what they print as that must not hold the link
    replaced = without_link(text)
    return value if replaced == text else replaced
