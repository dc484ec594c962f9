"""Every check before Start, for the review page and the API.

A failed check says what to change; a warning says what cannot be undone. The engine checks the node once more right
before it sends.

plan, findings        what is to be started; what the node and the cluster answered
gathering             asks them
registry, catalogue   what a check is; all checks
*_checks              the checks themselves, without side effects
judging, results      from findings to results
"""

from setup_wizard.attempts.preflight.findings import Answering, Findings, SignInRefused, Unknown
from setup_wizard.attempts.preflight.gathering import gather
from setup_wizard.attempts.preflight.judging import judge
from setup_wizard.attempts.preflight.node_checks import NODE_FREE
from setup_wizard.attempts.preflight.plan import Plan
from setup_wizard.attempts.preflight.registry import Check, Source
from setup_wizard.attempts.preflight.results import CheckOutcome, Level, Result

__all__ = [
    "NODE_FREE",
    "Answering",
    "Check",
    "CheckOutcome",
    "Findings",
    "Level",
    "Plan",
    "Result",
    "SignInRefused",
    "Source",
    "Unknown",
    "gather",
    "judge",
]
