"""What an explanation is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button: back to the field at `part`, with `values` (by the path of their field) already filled in.

    A `part` of "" is no field: everything is kept, and what is left is to start again.
    """

    label: str
    part: str
    values: Mapping[str, object] = field(default_factory=dict)


AGAIN: Final = Remedy("Start again", "")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of a check: words to read, or a command to type as it stands."""

    text: str
    is_command: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in plain words, as plain text: whoever shows it escapes it.

    A command in `checks` stands between backticks, and `phrased_checks` tells the two apart.

    `part` is the path of the request's field to change, such as "credentials.password"; "" where nothing in the
    request is wrong and only the machine, the network or the cluster can be put right.
    """

    title: str
    meaning: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    part: str = ""
    remedies: tuple[Remedy, ...] = ()

    @property
    def phrased_checks(self) -> tuple[tuple[Phrase, ...], ...]:
        """Each of `checks` in the pieces in which it is shown, words and commands by turns."""
        return tuple(
            tuple(Phrase(text, is_command=place % 2 == 1) for place, text in enumerate(check.split("`")) if text)
            for check in self.checks
        )
