"""The only writer of attempts: every change is a compare-and-set under a lease, and leaves an event.

start.py      an operator's Start becomes a row
lease.py      who may move an attempt now, and how what was learned is written
exchange.py   one exchange with the node, no verdicts
checking.py   the exchange in which the node looks at the request beforehand
choices.py    what an operator decides about an attempt
schedule.py   what is due, what was rung, whose time is over
clock.py      the one clock that all of these go by
"""

from setup_wizard.attempts.engine.choices import (
    NO_EVENT,
    ChoiceRefused,
    approve_certificate,
    choose,
    give_credentials,
)
from setup_wizard.attempts.engine.exchange import exchange
from setup_wizard.attempts.engine.lease import Lease, LeaseLost, claim, record, save_failure
from setup_wizard.attempts.engine.start import NodeBusy, PreflightFailed, admit, begin

__all__ = [
    "NO_EVENT",
    "ChoiceRefused",
    "Lease",
    "LeaseLost",
    "NodeBusy",
    "PreflightFailed",
    "admit",
    "approve_certificate",
    "begin",
    "choose",
    "claim",
    "exchange",
    "give_credentials",
    "record",
    "save_failure",
]
