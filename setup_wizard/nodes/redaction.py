"""Mask secrets in what a node sends back, because error messages quote requests.

This works on the raw text, before anything is cleaned or shortened. Masked are:

- the value of every key with a name like "password", at any depth, also inside a text;
- private keys in PEM, also cut ones;
- every secret that we sent, in any encoding (see `encodings`), and numbers equal to one;
- the word or path around it, because a gap in a well-known path would reveal the secret;
- the whole text around a secret that is easy to guess: a short one, or a common word.

Not masked are the API's own words under their keys, and the names and paths of the request.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, AnyStr, Final

from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.error_catalogue import FIELDS, ErrorCode
from setup_wizard.bootstrap.secret import MASK, Secret, names_secret
from setup_wizard.bootstrap.status import NODE_STATUSES, NodeState, is_code, is_time
from setup_wizard.bootstrap.text import ELLIPSIS, clean
from setup_wizard.nodes.encodings import INVISIBLE, Blob, TooComplex, View, decode_all, without_repetition

MIN_FRAGMENT: Final = 3
"""At the end of a shortened text, shorter beginnings of a secret are left: they reveal nothing."""
MIN_TAIL: Final = 6
"""The same for a text without a sign of shortening."""
MAX_TEXT: Final = 8192
MAX_ENCODED_SECRET: Final = 2048
"""A text longer than `MAX_TEXT` is shortened to `MAX_TEXT` minus this: a secret may be cut in half at its end."""
MAX_SEARCHED: Final = 200_000
"""Characters of one answer that are searched; the rest is masked entirely."""
MIN_LENGTH: Final = 6
"""Shorter secrets are easy to guess."""

MAX_ELLIPSES: Final = 16
"""Places in one text at which something may have been left out; no honest text has more."""

_ELLIPSIS_ENDS = (ELLIPSIS, "...")
_ELLIPSES = re.compile(rf"{ELLIPSIS}+|\.{{3,}}")
_NAMED = r"(?:passw(?:or)?d|passphrase|secret|token|credential|client_key|private_key|api_?key)"
# bounded repetitions, because backtracking takes seconds for a text of a few kilobytes
_QUOTED = re.compile(
    rf"(?i)({_NAMED}[\w-]{{0,32}}\\{{0,8}}[\"']?\s{{0,8}}[:=]\s{{0,8}}(\\{{0,8}})([\"']))(.{{1,4000}}?)(?=(?<!\\)\2\3)",
    re.DOTALL,
)
_ASSIGNED = re.compile(rf"(?i)({_NAMED}[\w-]{{0,32}}=)(?!\\*[\"'])[^\s&;,\"'<>]+")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[\w+/=\s\\]{0,16000}(?:-----END[A-Z ]{0,20}-----)?")
"""A private key in PEM, perhaps cut: a part of one of its lines would reveal much."""
_HOST = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}\.?")
_NUMBER = re.compile(r"\d{1,9}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_VALIDATORS: Final[Mapping[str, Callable[[str], object]]] = {
    "state": frozenset(NodeState).__contains__,
    "error_code": frozenset(ErrorCode).__contains__,
    "status": NODE_STATUSES.__contains__,
    "start_time": is_time,
    "end_time": is_time,
    "uid": _NUMBER.fullmatch,
    "field": FIELDS.__contains__,
    "addr": _is_address,
    "address": _is_address,
    "external_addr": _is_address,
}
"""Keys whose values we interpret: a valid value is never masked."""
_API_KEYS: Final = frozenset(
    {*_VALIDATORS, "bootstrap_status", "local_node_info", "error_details", "message", "path", "field", "name", "node"}
    | {"failed_nodes", "replace_candidate", "current_rack_ids", "rack_id", "required_memory", "required_flash"}
    | {"violation_code", "violation", "violations", "code", "available_addresses", "available_addrs"}
    | {"if_name", "format", "private", "description", "detail"}
    | {"warnings", "warning_type", "details", "module_name", "rack_aware"}
)
"""Keys of the API: never masked, even if a secret is the same word."""


@dataclass(frozen=True, slots=True, repr=False)
class Redaction:
    """What to mask in a node's answers.

    `kept` are texts that a page shows anyway, such as the paths of the request. Without `keeps_free_text` all free text
    is masked, because the secret is no longer known and cannot be searched for.
    """

    secrets: tuple[Secret, ...] = ()
    kept: frozenset[str] = frozenset()
    keeps_free_text: bool = True

    def adding(self, secrets: Iterable[Secret]) -> "Redaction":
        """Return a redaction with these secrets added."""
        more = tuple(secret for secret in secrets if secret and secret not in self.secrets)
        return replace(self, secrets=self.secrets + more) if more else self

    @sensitive_variables()
    def text(self, text: str) -> str:
        """Return the text with secrets masked."""
        return self._text(text, _Search(self))

    @sensitive_variables()
    def document(self, document: object) -> Any:
        """Return a node's JSON with secrets masked, in the same structure."""
        search = _Search(self)
        masked = self._value(document, "", search)
        name = document.get("name") if isinstance(document, Mapping) else None
        if isinstance(name, str) and _HOST.fullmatch(name) and not search.is_secret(name):
            # the password may be one word of the name, and masking it would change which cluster this is
            masked["name"] = name
        return masked

    def _value(self, value: Any, key: str, search: "_Search") -> Any:
        if _is_spelled_out(value) and self._text(text := "".join(_letters(value)), search) != text:
            return MASK
        if isinstance(value, Mapping):
            return {self._key(name, search): self._under(str(name), item, search) for name, item in value.items()}
        if isinstance(value, list | tuple):
            # the bytes of a text, as some programs print it
            if value and all(type(item) is int for item in value) and self._text(str(value), search) != str(value):
                return MASK
            return [self._value(item, key, search) for item in value]
        if isinstance(value, str):
            is_valid = _VALIDATORS.get(key)
            if (is_valid and is_valid(value)) or (key == "error_code" and not self.keeps_free_text and is_code(value)):
                return value
            return self._text(value, search)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if key not in _VALIDATORS and search.is_secret(str(value)) else value
        return value

    def _under(self, key: str, value: Any, search: "_Search") -> Any:
        if names_secret(key) and value and not isinstance(value, bool):
            return MASK
        if key == "error_details" and not self.keeps_free_text:
            return {}
        return self._value(value, key, search)

    def _key(self, name: Any, search: "_Search") -> Any:
        return name if name in _API_KEYS or not isinstance(name, str) else self._text(name, search)

    def _text(self, text: str, search: "_Search") -> str:
        if not self.keeps_free_text:
            return text if not text or text in self.kept else MASK
        return search.mask(text)


class _Search:
    """The search for secrets in all texts of one answer."""

    def __init__(self, redaction: Redaction) -> None:
        self._forms = sorted({form for secret in redaction.secrets for form in _forms(secret)}, key=len, reverse=True)
        self._bytes = sorted({data for form in self._forms for data in _as_bytes(form)}, key=len, reverse=True)
        kept = sorted(filter(None, redaction.kept), key=len, reverse=True)
        self._kept = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, kept))})(?![\w-])") if kept else None
        self._min_text = min(MIN_TAIL, len(self._forms[-1])) if self._forms else 0
        self._min_bytes = len(self._bytes[-1]) if self._bytes else 0
        self._characters_left = MAX_SEARCHED

    def is_secret(self, text: str) -> bool:
        return len(text) > MIN_FRAGMENT and text in self._forms

    def mask(self, text: str) -> str:
        is_long = len(text) > MAX_TEXT
        text = text[:MAX_TEXT]
        if ":" in text or "=" in text:
            text = _ASSIGNED.sub(rf"\1{MASK}", _QUOTED.sub(rf"\1{MASK}", text))
        text = _PRIVATE_KEY.sub(MASK, text)
        ends_in_ellipsis = text.endswith(_ELLIPSIS_ENDS)
        if not self._forms or (len(text) < self._min_text and not ends_in_ellipsis):
            return text
        self._characters_left -= len(text)
        if self._characters_left < 0:
            return MASK
        try:
            views, blobs = decode_all(text, MIN_FRAGMENT if ends_in_ellipsis else self._min_bytes)
            found = [*self._found_in(views), *self._found_in_blobs(blobs, len(text))]
        except TooComplex:
            return MASK
        kept = [span for view in views if self._kept and not view.is_blob for span in _matches(view, self._kept)]
        to_mask = [
            (start, end, form) for start, end, form in found if not any(s <= start and end <= e for s, e in kept)
        ]
        if any(is_guessable(form) for _, _, form in to_mask):
            return MASK
        return _mask_spans(text, {(start, end) for start, end, _ in to_mask}, is_long=is_long)

    def _found_in(self, views: Iterable[View]) -> Iterator[tuple[int, int, str]]:
        for view in views:
            text, ellipses = _lower(view.text), _find_ellipses(view)
            for form in self._forms:
                wanted = _lower(form)
                place = text.find(wanted)
                while place >= 0:
                    # if only the case differs, a match of a guessable secret is usually an ordinary word
                    if view.text.startswith(form, place) or not is_guessable(form):
                        yield *view.span(place, place + len(form)), form
                    place = text.find(wanted, place + 1)
                yield from _torn_ends(view, ellipses, form)

    def _found_in_blobs(self, blobs: Iterable[Blob], length: int) -> Iterator[tuple[int, int, str]]:
        for blob in blobs:
            for data in self._bytes:
                at_end = blob.end >= length - len(ELLIPSIS) * 3
                if data in blob.data or (at_end and _overlap(blob.data, data, MIN_FRAGMENT + 1)):
                    yield blob.start, blob.end, self._forms[0]


def _forms(secret: Secret) -> Iterator[str]:
    """Yield the forms of a secret: itself, what programs may turn it into, and each line of a long one."""
    whole = secret.reveal()
    lines = [line for line in whole.splitlines() if len(line) >= 16 and not line.startswith("-----")]
    for text in [whole, *(lines if "\n" in whole else [])]:
        # bytes read as characters
        mistaken = (data.decode("latin-1") for data in _as_bytes(text))
        composed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
        unread = ("".join(each if each.isascii() else sign for each in text) for sign in ("\ufffd", "?"))
        plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
        for form in (text, *mistaken, *composed, *unread, plain, INVISIBLE.sub("", text)):
            yield from {form, form.strip(), clean(form, len(form) * 6), without_repetition(form)} - {""}


def _as_bytes(form: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield form.encode(encoding, "surrogatepass")


def _is_spelled_out(value: object) -> bool:
    letters = _letters(value)
    return len(letters) > MIN_FRAGMENT and all(isinstance(each, str) and len(each) <= 2 for each in letters)


def _letters(value: object) -> list[Any]:
    """Give what may be the characters of a text: the entries of a list or of an object with numbers as keys."""
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _lower(text: str) -> str:
    lowered = text.lower()
    # some letters become two when lowered, which would shift every later position
    return lowered if len(lowered) == len(text) else "".join(map(_lower_letter, text))


def _lower_letter(letter: str) -> str:
    return lowered if len(lowered := letter.lower()) == 1 else letter


def _matches(view: View, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    return (view.span(*match.span()) for match in pattern.finditer(view.text))


def _find_ellipses(view: View) -> list[tuple[int, int]]:
    found = [match.span() for match in islice(_ELLIPSES.finditer(view.text), MAX_ELLIPSES + 1)]
    if len(found) > MAX_ELLIPSES:
        raise TooComplex
    return found


def _torn_ends(view: View, ellipses: list[tuple[int, int]], form: str) -> Iterator[tuple[int, int, str]]:
    """Find what is left of a secret where a text was cut: its beginning before the cut, or its end after it."""
    if not view.text:
        return
    # an ellipsis may have an unfinished escape before it, which belongs to what is left
    ends = [(start, view.ends[stop - 1] - (stop - start), 1) for start, stop in ellipses]
    for stop, end, least in ends or [(len(view.text), view.ends[-1], max(MIN_TAIL, len(form) // 2))]:
        text = view.text[:stop]
        for body in {text, View(text, (), ()).without_torn_escape()} if ellipses else {text}:
            if length := _overlap(body, form, least):
                start = view.starts[len(body) - length]
                if end - start >= MIN_FRAGMENT:
                    yield start, end, form
    for _, start in ellipses:
        if length := _overlap(form, view.text[start:], MIN_FRAGMENT + 1):
            yield *view.span(start, start + length), form


def _overlap(text: AnyStr, following: AnyStr, least: int) -> int:
    """Say how many characters at the end of a text are the beginning of the following; 0 if fewer than `least`."""
    if not text:
        return 0
    last = text[-1:]
    length = following.rfind(last, 0, min(len(text), len(following), MAX_ENCODED_SECRET)) + 1
    while length >= least:
        if text.endswith(following[:length]):
            return length
        length = following.rfind(last, 0, length - 1) + 1
    return 0


def _mask_spans(text: str, spans: Iterable[tuple[int, int]], *, is_long: bool) -> str:
    """Mask each span together with the rest of its word or path."""
    end = MAX_TEXT - MAX_ENCODED_SECRET if is_long else len(text)
    pieces, done = list[str](), 0
    for start, stop in sorted(_widened(text, *span) for span in spans):
        if start >= end:
            break
        if start > done or not pieces:
            pieces += [text[done:start], MASK]
        done = max(done, stop)
    return "".join([*pieces, text[done:end]]) + (ELLIPSIS if is_long else "")


def _widened(text: str, start: int, stop: int) -> tuple[int, int]:
    while start > 0 and _is_word_character(text[start - 1]):
        start -= 1
    while stop < len(text) and _is_word_character(text[stop]):
        stop += 1
    return start, stop


def _is_word_character(character: str) -> bool:
    """Tell whether a character is part of a word or path."""
    return character.isalnum() or character in "_./-\0"


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
    # large, and needed only when an answer contains a secret
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(word for words in FREQUENCY_LISTS.values() for word in words)


def is_guessable(secret: str) -> bool:
    """Tell whether a secret can be guessed from the text around it: it is short, or a common word."""
    word = secret.strip().lower()
    names = {"redislabs", "redis", "enterprise", "persist", "ephemeral", "bigstore", *_API_KEYS}
    return len(word) < MIN_LENGTH or word in names or word in _common_words()
