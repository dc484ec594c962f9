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


START_AGAIN: Final = Remedy("Start again", "")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in plain words, as plain text: whoever shows it escapes it.

    A command in `causes` and `checks` stands between backticks; a page sets it as code.

    `part` is the path of the request's field to change, such as "credentials.password"; "" where nothing in the
    request is wrong and only the machine, the network or the cluster can be put right.
    """

    title: str
    meaning: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    part: str = ""
    remedies: tuple[Remedy, ...] = ()
