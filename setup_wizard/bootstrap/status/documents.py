"""Strict JSON from strangers.

NotAStatus      an answer that does not say how a bootstrap stands: not a node, or a page of something in between
└── NotJson     not even JSON that we accept
"""

import json
import re
from typing import Final, Never

DEEPEST: Final = 20
# a whole string (or one that never ends), or one bracket; possessive, so that no input makes it search twice
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class NotAStatus(ValueError):
    """An answer that does not say how a bootstrap stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotJson(NotAStatus):
    """An answer that is no JSON, or JSON that means different things to different readers."""


def parse_json(body: bytes) -> object:
    """Read UTF-8 JSON and nothing looser; the caller has capped its length.

    Raises:
        NotJson: no JSON, NaN or Infinity, a key given twice, or nested deeper than 20.
    """
    # the parser recurses, so the depth has to be known before it starts
    if _is_too_deep(body):
        raise NotJson(f"JSON nested deeper than {DEEPEST}")
    try:
        document: object = json.loads(
            body.decode(), object_pairs_hook=_refuse_twins, parse_constant=_refuse_constant, parse_float=_read_float
        )
    except NotJson:
        raise
    except (ValueError, RecursionError) as error:  # undecodable bytes and absurdly long integers included
        raise NotJson("not JSON") from error
    return document


def _is_too_deep(body: bytes) -> bool:
    depth = 0
    for token in _TOKEN.finditer(body):
        if token[0] in b"[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


def _refuse_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise NotJson("JSON with a key given twice")
    return document


def _refuse_constant(_word: str) -> Never:
    raise NotJson("JSON with a number that is none")


def _read_float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise NotJson("JSON with a number that is none")
    return number
