"""Every check before Start, for the review page and the API.

A failed check says what to change; a warning says what cannot be undone. The engine checks the node once more right
before it sends.

node_setup, findings  what is to be started; what the node and the cluster answered
sources, gathering    ask them, all at once and within 6 s
check, catalogue      what a check is; all checks
*_checks              the checks themselves, without side effects
judging, results      from findings to results
running, shared       one run of the checks; what several runs ask together
reviewed              what was found, and what the operator accepts of it at Start
stored_runs, inputs   the results of a draft's checks as rows; when they can be used again
"""

from setup_wizard.attempts.preflight import stored_runs
from setup_wizard.attempts.preflight.catalogue import CHECKS, title_of
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.cluster_checks import CLUSTER_BUSY
from setup_wizard.attempts.preflight.findings import Answering, Findings, SignInRefused, Unknown
from setup_wizard.attempts.preflight.gathering import gather
from setup_wizard.attempts.preflight.judging import applying, judge
from setup_wizard.attempts.preflight.node_checks import NODE_FREE
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import MAX_REASON, CheckOutcome, Level, Result
from setup_wizard.attempts.preflight.reviewed import Reviewed, describe_overrides
from setup_wizard.attempts.preflight.running import CheckRun
from setup_wizard.attempts.preflight.shared import SharedAnswers

__all__ = [
    "CHECKS",
    "CLUSTER_BUSY",
    "MAX_REASON",
    "NODE_FREE",
    "Answering",
    "Check",
    "CheckOutcome",
    "CheckRun",
    "Findings",
    "Level",
    "NodeSetup",
    "Result",
    "Reviewed",
    "SharedAnswers",
    "SignInRefused",
    "Source",
    "Unknown",
    "applying",
    "describe_overrides",
    "gather",
    "judge",
    "stored_runs",
    "title_of",
]
