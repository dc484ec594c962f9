"""What a search looks in: one text for each attempt, written with the attempt, and the same spelling of a typed word.

Both databases index the text by its trigrams. PostgreSQL's leave out punctuation, so that an address would be four
common numbers. So everything is in small letters, and capitals stand for punctuation. Each field begins with `MARK`,
which makes a trigram of the beginning of a field, even of its first letter.
"""

from collections.abc import Mapping
from typing import Final

from setup_wizard.attempts.models import Attempt

FIELDS: Final = ("address", "host", "cluster_name", "member_address", "error_code", "reason")
SHORTEST: Final = 3
MARK: Final = "QQ"
_PUNCTUATION: Final = str.maketrans(dict(zip(".:-_[]@/%", "DCMUBEASP", strict=True)))


def text_of(attempt: Attempt, changes: Mapping[str, object] | None = None) -> str:
    """Write the text of an attempt, with the changed fields that are about to be saved."""
    values = [str((changes or {}).get(name, getattr(attempt, name))) for name in FIELDS]
    address = values[0]
    # a host that was typed as an address is found with it
    different = [value for value in dict.fromkeys(values) if value == address or not address.startswith(value)]
    return " ".join(f"{MARK}{_spell(value)}" for value in different)


def changed_text(attempt: Attempt, changes: Mapping[str, object]) -> str:
    """Write the text again if one of its fields is about to change; "" if not."""
    return text_of(attempt, changes) if set(FIELDS) & set(changes) else ""


def parts_of(query: str) -> list[str]:
    """Spell each word of a query as it stands in the text.

    All of them must be in it; a word of one or two characters must begin a field.
    """
    words = dict.fromkeys(map(_spell, query.split()))
    return [word if len(word) >= SHORTEST else f"{MARK}{word}" for word in words]


def _spell(text: str) -> str:
    return text.casefold().translate(_PUNCTUATION)
