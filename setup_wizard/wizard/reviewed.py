"""What a review page showed, sent back with Start, so that a refusal can name each answer that has changed since.

Only the draft's version decides whether Start is refused; this is for people to read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

LONGEST = 200  # of a value in the form: a license alone could fill the whole body
NOTHING = "nothing"
Answers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """One answer as it was reviewed and as it is now."""

    label: str
    before: str
    now: str


def write(answers: Answers) -> str:
    """Give the answers as a text for the page; long values are shortened."""
    return json.dumps([[label, _short(value)] for label, value in answers], ensure_ascii=False)


def compare(seen: str, answers: Answers) -> list[Change]:
    """List the answers that differ from `seen`, the text that `write` gave; empty when that cannot be read."""
    try:
        before = {str(label): str(value) for label, value in json.loads(seen)}
    except (ValueError, TypeError, RecursionError):
        return []
    now = {label: _short(value) for label, value in answers}
    return [
        Change(label, before.get(label, NOTHING), now.get(label, NOTHING))
        for label in dict.fromkeys([*now, *before])
        if before.get(label, NOTHING) != now.get(label, NOTHING)
    ]


def _short(value: str) -> str:
    if len(value) <= LONGEST:
        return value
    return f"{value[:60]}… ({len(value)} characters, SHA-256 {sha256(value.encode()).hexdigest()[:16]})"
