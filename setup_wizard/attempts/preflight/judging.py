"""From findings to the outcomes of checks."""

from collections.abc import Iterable, Iterator

from setup_wizard.attempts.preflight.catalogue import CHECKS
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings, Unknown
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import CheckOutcome, Level, Result


def applying(setup: NodeSetup) -> tuple[Check, ...]:
    """List the checks of a setup."""
    return tuple(check for check in CHECKS if check.applies(setup) and _is_possible(check, setup))


def _is_possible(check: Check, setup: NodeSetup) -> bool:
    """Leave out what has to be asked of a cluster that does not exist yet."""
    return not setup.cluster_comes_later or (bool(check.needs) and check.needs <= {Source.NODE})


def judge(setup: NodeSetup, findings: Findings, checks: Iterable[Check] | None = None) -> list[CheckOutcome]:
    """Judge every check whose sources were asked; those that need the operator come first."""
    found = _judge(setup, findings, applying(setup) if checks is None else checks)
    return sorted(found, key=lambda each: each.result.level.rank)


def _judge(setup: NodeSetup, findings: Findings, checks: Iterable[Check]) -> Iterator[CheckOutcome]:
    for check in checks:
        if is_ready(check, findings) and (result := judge_one(check, setup, findings)):
            yield CheckOutcome(check.name, check.title, result)


def is_ready(check: Check, findings: Findings, awaited: frozenset[Source] = frozenset()) -> bool:
    """Tell whether every source that the check needs, and every `awaited` one, was asked."""
    return all(getattr(findings, source) is not None for source in check.needs | awaited)


def judge_one(check: Check, setup: NodeSetup, findings: Findings) -> Result | None:
    """Judge one check that is ready; None when it has nothing to say."""
    answers = [getattr(findings, source) for source in check.needs]
    silent = next((answer for answer in answers if isinstance(answer, Unknown)), None)
    if silent and not check.about_silence:
        earlier = findings.earlier.get(check.name, {})
        return Result(level=Level.NOT_CHECKED, message=silent.message, data=earlier)
    return check.judge(setup, findings)
