"""Read JSON that can mean only one thing: what two readers would understand differently is refused.

InvalidJson     not JSON, or nested too deeply, or a number that JSON does not have
└── DuplicateKeys    an object names a key twice; the paths say which

Reference: RFC 8259 section 4 (twin keys), section 6 (numbers) and section 8.1 (UTF-8)
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final, Never

from setup_wizard.bootstrap.text import clean

MAX_DEPTH: Final = 20
MOST_TWINS: Final = 20
_LONGEST_PATH = 100
# a whole string (or one that never ends), or one bracket; possessive, so that no input makes it search twice
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class InvalidJson(ValueError):
    """A text that is not strict JSON; `reason` repeats nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DuplicateKeys(InvalidJson):
    """An object names a key twice; `paths` has the first of them, such as "bootstrap.cluster.name"."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__("JSON with a key given twice")
        self.paths = paths


class _TwinnedObject(dict[str, object]):
    """An object that names the keys in `twins` more than once."""

    twins: tuple[str, ...] = ()


def read_json(body: bytes) -> object:
    """Read UTF-8 JSON and nothing looser; the caller has capped its length.

    Raises:
        DuplicateKeys: an object names a key twice.
        InvalidJson: not JSON, NaN, Infinity or a number as large, or nested deeper than 20.
    """
    # the parser recurses, so the depth has to be known before it starts
    if _is_too_deep(body):
        raise InvalidJson(f"JSON nested deeper than {MAX_DEPTH}")
    has_twins = False

    def build(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal has_twins
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        has_twins = True
        twinned = _TwinnedObject(found)
        twinned.twins = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return twinned

    document, reason = None, ""
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=build, parse_constant=_refuse_constant, parse_float=_read_float
        )
    except InvalidJson as error:
        reason = error.reason
    except (ValueError, RecursionError):  # undecodable bytes and absurdly long integers included
        reason = "not JSON"
    if reason:
        raise InvalidJson(reason)  # outside of the handler: the parser's own error holds the whole text
    if has_twins:
        raise DuplicateKeys(tuple(islice(_paths_of_twins(document, ""), MOST_TWINS)))
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


def _paths_of_twins(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _TwinnedObject):
        for key in value.twins:
            yield _join(path, key)
    if isinstance(value, list):
        value = {str(index): entry for index, entry in enumerate(value)}
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _paths_of_twins(entry, _join(path, key))


def _join(path: str, key: str) -> str:
    return clean(f"{path}.{key}" if path else key, _LONGEST_PATH) or "?"


def _refuse_constant(_word: str) -> Never:
    raise InvalidJson("JSON with a number that is none")


def _read_float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise InvalidJson("JSON with a number that is none")
    return number
