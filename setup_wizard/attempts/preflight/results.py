"""What a check found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from setup_wizard.bootstrap.error_catalogue import Figure, Remedy


class Level(StrEnum):
    """How a check ended, or that it has not ended yet; `not_checked` says that there was no answer in time."""

    PENDING = "pending"
    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"

    @property
    def rank(self) -> int:
        """Where it stands in a list: what needs the operator comes first."""
        return _ORDER.index(self)


_ORDER = [Level.FAILED, Level.WARNING, Level.NOT_CHECKED, Level.PENDING, Level.PASSED]


MAX_REASON: Final = 300
"""Characters of the reason for which a result is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one check.

    `message` says what was found on this node, then what to do. `part` is the path of the field in the request, such as
    "node.identity.rack_id"; "address" is the node, "" no field. A failed check with `can_override` can be accepted with
    a reason, because the bootstrap may still succeed; a check with it that was not made has to be accepted, too. A
    warning with a `confirmation` needs that to be ticked. The values of a remedy are exactly the change that it makes.
    `data` is JSON for the next run of the check, which finds it in `Findings.earlier`.
    """

    level: Level
    message: str
    part: str = "address"
    can_override: bool = False
    confirmation: str = ""
    remedies: tuple[Remedy, ...] = ()
    figures: tuple[Figure, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether Start is refused, whatever the operator accepts."""
        return self.level is Level.FAILED and not self.can_override

    @property
    def needs_consent(self) -> bool:
        """Whether Start is refused unless the operator accepts it."""
        return (self.level in {Level.FAILED, Level.NOT_CHECKED} and self.can_override) or (
            self.level is Level.WARNING and bool(self.confirmation)
        )


SAID_ELSEWHERE: Final = Result(level=Level.NOT_CHECKED, message="", part="")
"""Not checked for a reason that another check gives."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of a check with the check's name, for programs, and its title, for people."""

    name: str
    title: str
    result: Result
