"""What was found before Start, and what the operator accepts of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from setup_wizard.attempts.preflight.catalogue import title_of
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.judging import applying, judge
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import CheckOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """The findings and results, and the reason for each result that is accepted, by the name of the check.

    `permanent` says that what cannot be undone later was accepted.
    """

    findings: Findings
    outcomes: Sequence[CheckOutcome] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    permanent: bool = False

    def allows(self, outcome: CheckOutcome) -> bool:
        """Tell whether a result does not keep the setup from starting."""
        return not outcome.result.blocks and (not outcome.result.needs_consent or outcome.name in self.reasons)

    def judged_again(self, setup: NodeSetup) -> list[CheckOutcome]:
        """Judge again what needs only the probes and the database, and give it with the other results.

        What needs the operator comes first.
        """
        probes = Findings(node=self.findings.node, member=self.findings.member, members=self.findings.members)
        again = [check for check in applying(setup) if not self.outcomes or not check.after]
        found = {each.name: each for each in [*self.outcomes, *judge(setup, probes, again)]}
        return sorted(found.values(), key=lambda each: each.result.level.rank)

    def as_json(self, outcomes: Sequence[CheckOutcome]) -> list[dict[str, str]]:
        """Give the accepted checks for the attempt."""
        needed = [each.name for each in outcomes if each.result.needs_consent]
        return [{"name": name, "reason": self.reasons[name]} for name in needed if name in self.reasons]


def describe_overrides(overrides: Sequence[Mapping[str, str]]) -> str:
    """Name the accepted checks for the audit log, which takes no free text."""
    return f"Accepted: {', '.join(title_of(each['name']) for each in overrides)}" if overrides else ""
