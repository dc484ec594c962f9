"""The only writer of attempts: every change is a compare-and-set under a lease, with its events.

start.py      creates an attempt
lease.py      who may change an attempt now, and how results are written
exchange.py   one exchange with the node, without judging it
validation.py the exchange in which the node validates the request
choices.py    what an operator chose
marks.py      the mark of a reviewer
clock.py      the one clock that all of these use
"""

from setup_wizard.attempts.engine.choices import (
    NO_EVENT,
    ChoiceRefused,
    approve_certificate,
    choose,
    give_credentials,
)
from setup_wizard.attempts.engine.exchange import exchange
from setup_wizard.attempts.engine.lease import Lease, LeaseLost, attempt_listeners, claim, record, save_failure
from setup_wizard.attempts.engine.marks import mark_reviewed
from setup_wizard.attempts.engine.start import NodeBusy, PreflightFailed, begin, count_start

__all__ = [
    "NO_EVENT",
    "ChoiceRefused",
    "Lease",
    "LeaseLost",
    "NodeBusy",
    "PreflightFailed",
    "approve_certificate",
    "attempt_listeners",
    "begin",
    "choose",
    "claim",
    "count_start",
    "exchange",
    "give_credentials",
    "mark_reviewed",
    "record",
    "save_failure",
]
