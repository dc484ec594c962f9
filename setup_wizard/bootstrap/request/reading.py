"""Read one JSON object field by field, and keep every mistake with the path of its field."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final

from setup_wizard.bootstrap.rules import RuleError, check_text
from setup_wizard.bootstrap.text import clean

MOST_ITEMS: Final = 64
_MOST_UNKNOWN = 20


class Mistakes(dict[str, list[str]]):
    """What is wrong, by the path of the field; "" is the whole request."""

    def add(self, path: str, message: str) -> None:
        """Keep one more mistake, once."""
        messages = self.setdefault(path, [])
        if message not in messages:
            messages.append(message)


class Reader:
    """One object of the request; null counts as unset everywhere."""

    def __init__(self, document: object, path: str, mistakes: Mistakes) -> None:
        self._path = path
        self._mistakes = mistakes
        self._read: set[str] = set()
        self._document: dict[str, object] = {}
        if isinstance(document, Mapping):
            self._document = {str(key): value for key, value in document.items() if value is not None}
        elif document is not None:
            self.complain("", "This must be an object.")

    def complain(self, key: str, message: str) -> None:
        """Keep a mistake of this object ("") or of one of its fields."""
        self._mistakes.add(self._join(key), message)

    def get(self, key: str) -> object:
        """Give a field as it stands, and know it from now on."""
        self._read.add(key)
        return self._document.get(key)

    def text(self, key: str, check: Callable[[str], str] = check_text, *, needed: bool = False) -> str:
        """Give a text that passed its check; "" when it is unset or wrong. An unset one that is needed is checked."""
        value = self.get(key)
        if not isinstance(value, str):
            if value is not None:
                self.complain(key, "This must be text.")
                return ""
            value = ""
        if not value.strip() and not needed:
            return ""
        return self._checked(key, check, value) or ""

    def secret(self, key: str, check: Callable[[str], str]) -> str:
        """Give a text that only its check may judge: blanks are part of a password."""
        value = self.get(key)
        if value is None or value == "":
            return ""
        if not isinstance(value, str):
            self.complain(key, "This must be text.")
            return ""
        return self._checked(key, check, value) or ""

    def flag(self, key: str) -> bool | None:
        """Give true, false or None."""
        value = self.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.complain(key, "This must be true or false.")
        return None

    def number(self, key: str, lowest: int = 0, highest: int = 2**31 - 1) -> int | None:
        """Give a whole number within its range; digits in quotes count as one."""
        value = self.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        self.complain(key, f"This must be a whole number from {lowest} to {highest}.")
        return None

    def texts(self, key: str, check: Callable[[str], str]) -> tuple[str, ...]:
        """Give a list of texts that all passed their check."""
        kept = []
        for item in self.items(key):
            if not isinstance(item, str):
                self.complain(key, "Each entry must be text.")
                continue
            if (checked := self._checked(key, check, item)) is not None:
                kept.append(checked)
        return tuple(dict.fromkeys(kept))

    def items(self, key: str) -> list[object]:
        """Give a list as it stands."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.complain(key, "This must be a list.")
            return []
        if len(value) > MOST_ITEMS:
            self.complain(key, f"This list has {len(value)} entries. It can have at most {MOST_ITEMS}.")
        return list(value[:MOST_ITEMS])

    def child(self, key: str) -> "Reader":
        """Go into an object; an unset one reads as an empty one."""
        return Reader(self.get(key), self._join(key), self._mistakes)

    def children(self, key: str) -> "list[Reader]":
        """Go into each object of a list."""
        return [Reader(item, self._join(f"{key}.{at}"), self._mistakes) for at, item in enumerate(self.items(key))]

    def close(self) -> None:
        """Report every field that nobody asked for, with the one that was probably meant."""
        unknown = [key for key in self._document if key not in self._read]
        for key in unknown[:_MOST_UNKNOWN]:
            meant = get_close_matches(key[:60], self._read, n=1, cutoff=0.7)
            hint = f" Did you mean {meant[0]}?" if meant else ""
            self.complain(clean(key, 60) or "?", f"A bootstrap request has no such field.{hint}")
        if len(unknown) > _MOST_UNKNOWN:
            self.complain("", f"There are {len(unknown)} fields here that a bootstrap request does not have.")

    def _join(self, key: str) -> str:
        return ".".join(part for part in (self._path, key) if part)

    def _checked(self, key: str, check: Callable[[str], str], value: str) -> str | None:
        try:
            return check(value)
        except RuleError as error:
            self.complain(key, error.message)
        return None
