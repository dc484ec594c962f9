"""Decode text that may contain encoded secrets, and remember where each decoded character came from.

A node may quote a request as JSON, in a URL, in HTML, in base64 or in hex, often nested. A list of encoded forms of a
secret would miss combinations, so encodings are undone one after the other.
"""

import base64
import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_DEPTH: Final = 4
"""How many nested encodings are undone."""
MAX_VIEWS: Final = 64
MAX_CHARACTERS: Final = 400_000
"""Decoded characters for one text; both limits are far above what an honest answer needs."""

_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})|(.))",
    re.DOTALL,
)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+|%u([0-9a-fA-F]{4})")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
INVISIBLE: Final = re.compile("[\0-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_QUOTED_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2})+|=\r?\n")
_REPEATED = re.compile(r"""'\\''|'"'"'|"'"'"|(['"%${}])\1+""")
_SPELLED_OUT = re.compile(r"""(?s).(?:(?:['"], ?['"].){4,}|(?:, ?.){4,}|([ -]).(?:\1.){3,})""")
_LETTER = re.compile(r"""(?s)(.)(?:['"], ?['"]|, ?|[ -]|\Z)""")
_URL_SAFE = str.maketrans("-_", "+/", "\r\n=")
_TORN = re.compile(r"(?:\\(?:[uUx][0-9a-fA-F]{0,7})?|%[0-9a-fA-F]?|&#?\w{0,31})\Z")


class TooComplex(Exception):
    """Decoding the text would take too long: it was crafted for that."""


@dataclass(frozen=True, slots=True)
class View:
    """A decoded text; character i comes from `starts[i]` to `ends[i]` of the original.

    In a blob (base64, hex or a list of bytes) every character comes from the whole blob.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    is_blob: bool = False

    @classmethod
    def of(cls, text: str) -> "View":
        """Make the view of an undecoded text."""
        return cls(text, range(len(text)), range(1, len(text) + 1))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from `start` to `end` came from."""
        return self.starts[start], self.ends[end - 1]

    def without_torn_escape(self) -> str:
        """Return the text without an incomplete escape at its end."""
        return _TORN.sub("", self.text)


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes decoded from base64, hex or a list of numbers, and their place in the text."""

    data: bytes
    start: int
    end: int


def decode_all(text: str, least: int) -> tuple[list[View], list[Blob]]:
    """Return the text decoded in every order, and all bytes found in it.

    Base64, hex and lists of numbers with fewer than `least` bytes are ignored.

    Raises:
        TooComplex: there are too many or too long results.
    """
    views, blobs = [View.of(text)], list[Blob]()
    seen, left, layer = {text}, MAX_CHARACTERS, list(views)
    for _ in range(MAX_DEPTH):
        found: list[View] = []
        for view in layer:
            inside = list(_blobs_in(view, least))
            blobs += inside
            undone = (changed for undo in _DECODERS if (changed := undo(view)) is not None)
            for each in (*undone, *_as_texts(inside)):
                if each.text in seen:
                    continue
                seen.add(each.text)
                left -= len(each.text)
                if left < 0 or len(seen) > MAX_VIEWS:
                    raise TooComplex
                found.append(each)
        views += found
        layer = found
    for view in layer:
        blobs += _blobs_in(view, least)
    return views, blobs


def _rewrite(
    view: View, pattern: re.Pattern[str], decode: Callable[[re.Match[str]], Iterable[tuple[str, int]]]
) -> View:
    """Replace every match by what `decode` yields: characters, with the length of their source."""
    pieces, starts, ends, done = list[str](), list[int](), list[int](), 0
    for match in pattern.finditer(view.text):
        pieces.append(view.text[done : match.start()])
        starts += view.starts[done : match.start()]
        ends += view.ends[done : match.start()]
        place = match.start()
        for characters, length in decode(match):
            pieces.append(characters)
            starts += [view.starts[place]] * len(characters)
            ends += [view.ends[place + length - 1]] * len(characters)
            place += length
        done = match.end()
    pieces.append(view.text[done:])
    starts += view.starts[done:]
    ends += view.ends[done:]
    return View("".join(pieces), starts, ends, view.is_blob)


def _undo_backslashes(view: View) -> View | None:
    """Undo the escapes of JSON, Python and JavaScript, and the octal ones of C and protobuf."""
    return _rewrite(view, _ESCAPE, _read_escape) if "\\" in view.text else None


def _read_escape(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    high, low, short, long, braced, byte, octal, other = match.groups()
    if high:
        text = chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    elif code := short or long or braced or byte or octal:
        number = int(code, 8 if octal else 16)
        text = chr(number) if number < 0x110000 else match[0]
    else:
        text = _CONTROLS.get(other, other)
    yield text, len(match[0])


def _undo_percent(view: View) -> View | None:
    return _rewrite(view, _PERCENT, _read_percent) if "%" in view.text else None


def _undo_form(view: View) -> View | None:
    """Undo form encoding: a plus is a space, the rest as in a URL."""
    if "+" not in view.text:
        return None
    blank = View(view.text.replace("+", " "), view.starts, view.ends, view.is_blob)
    return _undo_percent(blank) or blank


def _read_percent(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    if match[1]:
        yield chr(int(match[1], 16)), 6
        return
    yield from _read_bytes(match[0])


def _read_bytes(text: str) -> Iterator[tuple[str, int]]:
    data = bytes.fromhex(re.sub("[%=]", "", text))
    try:
        for character in data.decode():
            yield character, 3 * len(character.encode())
    except UnicodeDecodeError:
        yield from ((chr(byte), 3) for byte in data)


def _undo_entities(view: View) -> View | None:
    return (
        _rewrite(view, _ENTITY, lambda match: [(html.unescape(match[0]), len(match[0]))]) if "&" in view.text else None
    )


def _drop_invisible(view: View) -> View | None:
    """Undo line breaks and invisible characters inside a text, and UTF-16 that was read byte by byte."""
    return _rewrite(view, INVISIBLE, lambda _: []) if INVISIBLE.search(view.text) else None


def _undo_quoted_printable(view: View) -> View | None:
    if not _QUOTED_PRINTABLE.search(view.text):
        return None
    return _rewrite(view, _QUOTED_PRINTABLE, lambda match: [] if match[0].endswith("\n") else _read_bytes(match[0]))


def _undo_repetition(view: View) -> View | None:
    """Undo what shells, SQL, CSV and templates do: they repeat quotes, per cent signs and braces.

    A run of them becomes a single one, so that it is to be compared with a text after `without_repetition`.
    """
    if not _REPEATED.search(view.text):
        return None
    return _rewrite(view, _REPEATED, lambda match: [(_once(match), len(match[0]))])


def without_repetition(text: str) -> str:
    """Give a text in the form in which `decode_all` shows it where quotes, per cent signs and braces are repeated."""
    return _REPEATED.sub(_once, text)


def _once(match: re.Match[str]) -> str:
    return match[0][0]


def _undo_spelling_out(view: View) -> View | None:
    """Undo what makes a list of a text's characters, or puts something between each two of them."""
    if not _SPELLED_OUT.search(view.text):
        return None
    return _rewrite(
        view, _SPELLED_OUT, lambda match: [(letter[1], len(letter[0])) for letter in _LETTER.finditer(match[0])]
    )


_DECODERS = (
    _undo_backslashes,
    _undo_percent,
    _undo_form,
    _undo_entities,
    _drop_invisible,
    _undo_quoted_printable,
    _undo_repetition,
    _undo_spelling_out,
)


@lru_cache(maxsize=64)
def _blob_patterns(least: int) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Patterns for base64, hex and lists of numbers of at least this many bytes."""
    base64_digits, hex_pairs = max(4 * least // 3, 4) - 1, max(least, 3) - 1
    return (
        re.compile(rf"[A-Za-z0-9+/_-](?:\r?\n?[A-Za-z0-9+/_-]){{{base64_digits},}}+={{0,2}}"),
        re.compile(rf"[0-9a-fA-F]{{2}}(?:(?:, ?|[ :.-])?(?:0x)?[0-9a-fA-F]{{2}}){{{hex_pairs},}}+"),
        re.compile(rf"(?<![0-9])-?[0-9]{{1,7}}(?:(?:, ?| )-?[0-9]{{1,7}}){{{hex_pairs},}}+"),
    )


def _blobs_in(view: View, least: int) -> Iterator[Blob]:
    in_base64, in_hex, in_numbers = _blob_patterns(least)
    for match in in_base64.finditer(view.text):
        digits = match[0].translate(_URL_SAFE)
        for shift in range(4):  # characters before it may look like part of it
            part = digits[shift:]
            part = part[:-1] if len(part) % 4 == 1 else part
            yield Blob(base64.b64decode(part + "=" * (-len(part) % 4)), *view.span(*match.span()))
    for match in in_hex.finditer(view.text):
        digits = re.sub("0x|[ :,.-]", "", match[0])
        for shift in range(2):
            part = digits[shift:]
            yield Blob(bytes.fromhex(part[: len(part) // 2 * 2]), *view.span(*match.span()))
    for match in in_numbers.finditer(view.text):
        numbers = [int(number) for number in re.findall("-?[0-9]+", match[0])]
        span = view.span(*match.span())
        yield Blob(bytes(number % 256 for number in numbers if -128 <= number < 256), *span)  # Java's have a sign
        if max(numbers) > 127:
            text = "".join(chr(number) for number in numbers if 0 <= number < 0x110000)
            yield Blob(text.encode("utf-8", "surrogatepass"), *span)


def _as_texts(blobs: Iterable[Blob]) -> Iterator[View]:
    """Read blobs as text; most are not."""
    for blob in blobs:
        try:
            text = blob.data.decode()
        except UnicodeDecodeError:
            continue
        if any(mark in text for mark in "\\%&+") or len(text) > 12:
            yield View(text, [blob.start] * len(text), [blob.end] * len(text), is_blob=True)
