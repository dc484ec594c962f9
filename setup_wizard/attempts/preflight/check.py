"""What a check is, and what it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Result


class Source(StrEnum):
    """Who is asked; the values are the fields of `Findings`."""

    NODE = "node"
    MEMBER = "member"
    MEMBERS = "members"
    CLUSTER = "cluster"
    NAME = "name"
    OLD_NODE = "old_node"
    VALIDATION = "validation"


EVERYTHING: Final = ("",)
"""What a check depends on that reads the whole request and the credentials."""


def always(setup: NodeSetup) -> bool:
    """Apply to every setup."""
    del setup
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    `judge` gets findings in which everything that it needs has been asked, and returns None when there is nothing to
    say; it asks nobody, but may read the database. Without an answer from a source that it `needs` the check is not
    judged, unless it is `about_silence`. Sources in `after` are awaited, but it is judged without them where only some
    are asked. `depends_on` names the parts of the request that it reads, by the beginning of their paths: a change
    elsewhere keeps its result.
    """

    name: str
    title: str
    judge: Callable[[NodeSetup, Findings], Result | None]
    needs: frozenset[Source] = frozenset()
    after: frozenset[Source] = frozenset()
    applies: Callable[[NodeSetup], bool] = always
    depends_on: tuple[str, ...] = ()
    about_silence: bool = False
