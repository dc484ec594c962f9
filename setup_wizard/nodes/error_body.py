"""The body of an error answer, in any form that nodes and proxies send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from setup_wizard.bootstrap.status import UnreadableAnswer, parse_json
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.limits import DETAIL_CHARACTERS
from setup_wizard.nodes.redaction import Redaction

MAX_BODY: Final = 4096
_KEYS: Final = ("description", "message", "detail")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """A code and a text; unmasked until `masked` is called, so neither is in the repr."""

    code: str = field(default="", repr=False)
    text: str = field(default="", repr=False)

    @property
    def words(self) -> str:
        """The text, or the code when there is no text."""
        return self.text or self.code

    @property
    def line(self) -> str:
        """The same as one short printable line."""
        return clean(self.words, DETAIL_CHARACTERS)

    def masked(self, redaction: Redaction) -> "ErrorBody":
        """Return the same with secrets masked; without the text when the secrets are no longer known."""
        code = redaction.document({"error_code": self.code})["error_code"]
        return ErrorBody(code, redaction.text(self.text) if redaction.keeps_free_text else "")


NO_BODY: Final = ErrorBody()


def read_error_body(body: bytes) -> ErrorBody:
    """Read known JSON forms, plain text, or the title of an HTML page; never raises.

    Known are `{"error_code", "description"}`, `{"error_code", "message"}`, `{"detail"}` and a bare JSON string.
    """
    try:
        document = parse_json(body)
    except UnreadableAnswer:
        return ErrorBody(text=_read_text(body))
    if isinstance(document, str):
        return ErrorBody(text=document[:MAX_BODY])
    if not isinstance(document, Mapping):
        return NO_BODY
    text = next((each for key in _KEYS if (each := _text(document.get(key)))), "")
    return ErrorBody(_text(document.get("error_code")), text)


def _text(value: object) -> str:
    return value[:MAX_BODY] if isinstance(value, str) else ""


def _read_text(body: bytes) -> str:
    text = body[:MAX_BODY].decode("utf-8", "replace").strip()
    if not text.startswith("<"):
        return text
    page = _Title()
    page.feed(text)
    return page.title.strip()


class _Title(HTMLParser):
    """Collect the title of an HTML page."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self._is_inside = False

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self._is_inside = tag == "title"

    def handle_endtag(self, _tag: str) -> None:
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        self.title += data if self._is_inside else ""
