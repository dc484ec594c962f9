"""What an explanation is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button: back to the field at `part`, with `values` (by the path of their field) already filled in."""

    label: str
    part: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in plain words, as plain text: whoever shows it escapes it.

    `part` is the path of the request's field to change, such as "credentials.password"; "" where nothing in the
    request is wrong and only the machine, the network or the cluster can be put right. Then there are no remedies
    either: what is left to do is to start again.
    """

    title: str
    meaning: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    part: str = ""
    remedies: tuple[Remedy, ...] = ()
