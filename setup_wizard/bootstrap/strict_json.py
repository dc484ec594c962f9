"""Read JSON strictly: refuse what two parsers may read differently.

InvalidJson     not JSON, or nested too deeply, or with an invalid number
└── DuplicateKeys    an object repeats a key

Reference: RFC 8259 section 4 (duplicate keys), section 6 (numbers) and section 8.1 (UTF-8)
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final, Never

from setup_wizard.bootstrap.text import clean

MAX_DEPTH: Final = 20
MAX_DUPLICATES: Final = 20
_MAX_PATH_LENGTH = 100
# a string, even an unterminated one, or a bracket; possessive, so that no input makes it backtrack
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class InvalidJson(ValueError):
    """A text that is not strict JSON; `reason` shows nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DuplicateKeys(InvalidJson):
    """An object repeats a key; `paths` names the first of them, such as "bootstrap.cluster.name"."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__("JSON with a duplicate key")
        self.paths = paths


class _ObjectWithDuplicates(dict[str, object]):
    """An object that repeats the keys in `duplicates`."""

    duplicates: tuple[str, ...] = ()


def read_json(body: bytes) -> object:
    """Read strict UTF-8 JSON; the caller limits its length.

    Raises:
        DuplicateKeys: an object repeats a key.
        InvalidJson: not JSON, NaN, Infinity or a number beyond them, or nested deeper than 20.
    """
    # the parser recurses, so the depth has to be checked first
    if _is_too_deep(body):
        raise InvalidJson(f"JSON nested deeper than {MAX_DEPTH}")
    has_duplicates = False

    def build(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal has_duplicates
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        has_duplicates = True
        repeated = _ObjectWithDuplicates(found)
        repeated.duplicates = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return repeated

    document, reason = None, ""
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=build, parse_constant=_refuse_constant, parse_float=_read_float
        )
    except InvalidJson as error:
        reason = error.reason
    except (ValueError, RecursionError):  # also raised for undecodable bytes and very long integers
        reason = "not JSON"
    if reason:
        raise InvalidJson(reason)  # outside of the handler: the parser's error holds the whole text
    if has_duplicates:
        raise DuplicateKeys(tuple(islice(_duplicate_paths(document, ""), MAX_DUPLICATES)))
    return document


def _is_too_deep(body: bytes) -> bool:
    depth = 0
    for token in _TOKEN.finditer(body):
        if token[0] in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


def _duplicate_paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _ObjectWithDuplicates):
        for key in value.duplicates:
            yield _join(path, key)
    if isinstance(value, list):
        value = {str(index): entry for index, entry in enumerate(value)}
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _duplicate_paths(entry, _join(path, key))


def _join(path: str, key: str) -> str:
    return clean(f"{path}.{key}" if path else key, _MAX_PATH_LENGTH) or "?"


def _refuse_constant(_word: str) -> Never:
    raise InvalidJson("JSON with an invalid number")


def _read_float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise InvalidJson("JSON with an invalid number")
    return number
