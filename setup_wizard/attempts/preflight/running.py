"""Run the checks of a setup, and hand on each result as soon as it is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.models import User

from setup_wizard.attempts.preflight.catalogue import CHECKS
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.gathering import GRACE, Gathering
from setup_wizard.attempts.preflight.judging import applying, is_ready, judge_one
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import CheckOutcome, Level, Result
from setup_wizard.attempts.preflight.shared import SharedAnswers
from setup_wizard.attempts.preflight.sources import Inquiry
from setup_wizard.nodes.transport import Deadline

BUDGET: Final = 6.0
"""Seconds from the start of the checks until each has a result."""
_MARGIN: Final = 0.3  # to judge and to write the last results
_NOT_VALIDATED: Final = frozenset({Source.NAME, Source.OLD_NODE})  # the node does not ask who else answers


@dataclass
class CheckRun:
    """One run of some checks of a setup, of all that apply by default; its time begins when it is made.

    `findings` may have answers already: their sources are not asked again. `shared` has those in common with the checks
    of other nodes. `known` are results of other checks. `record` gets results as soon as they are known, None for a
    check that has nothing to say.
    """

    setup: NodeSetup
    by: User
    checks: Sequence[Check] = ()
    findings: Findings = field(default_factory=Findings)
    known: Sequence[CheckOutcome] = ()
    shared: SharedAnswers | None = None
    record: Callable[[Mapping[Check, Result | None]], None] = lambda _results: None
    outcomes: list[CheckOutcome] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._left = list(self.checks or applying(self.setup))
        deadline = Deadline.after(BUDGET - GRACE - _MARGIN)
        inquiry = Inquiry(self.setup, self.findings, self.by, deadline, self._has_failed, self.shared)
        sources = {source for check in self._left for source in check.needs | check.after}
        self._sources = frozenset(sources if self.setup.members else sources - {Source.MEMBER, Source.CLUSTER})
        self._gathering = Gathering(inquiry, self._sources)

    def run(self) -> list[CheckOutcome]:
        """Ask and judge until everything has a result; those that need the operator come first."""
        self._gathering.run(self._judge)
        return sorted(self.outcomes, key=lambda each: each.result.level.rank)

    def finish(self) -> None:
        """Wait for exchanges that were too late: a sign-in has to be recorded by its outcome."""
        self._gathering.finish()

    def _judge(self) -> None:
        ready = [check for check in self._left if is_ready(check, self.findings, check.after & self._sources)]
        self._left = [check for check in self._left if check not in ready]
        results = {check: judge_one(check, self.setup, self.findings) for check in ready}
        self.outcomes += [CheckOutcome(check.name, check.title, result) for check, result in results.items() if result]
        if results:
            self.record(results)

    def _has_failed(self) -> bool:
        """Tell whether a check has failed that the node's own validation would fail too."""
        self._judge()
        failed = {each.name for each in [*self.known, *self.outcomes] if each.result.level is Level.FAILED}
        return any(check.name in failed and not check.needs & _NOT_VALIDATED for check in CHECKS)
