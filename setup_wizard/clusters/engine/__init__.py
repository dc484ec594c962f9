"""The only writer of runs: every change is a compare-and-set on the run's lease, with its events.

lease.py     who may change a run now, and how changes are written
start.py     begins a run
advance.py   takes a run one decision further, in a worker
choices.py   what an operator chose
rack_awareness.py  the last, optional step
"""

from setup_wizard.clusters.engine.advance import advance
from setup_wizard.clusters.engine.choices import (
    ChoiceRefused,
    RunChoice,
    check_retry,
    choices_of,
    choose,
    give_credentials,
    retry,
)
from setup_wizard.clusters.engine.rack_awareness import CONSENT, offers_rack_awareness, turn_on_rack_awareness
from setup_wizard.clusters.engine.start import PlanChanged, begin_run

__all__ = [
    "CONSENT",
    "ChoiceRefused",
    "PlanChanged",
    "RunChoice",
    "advance",
    "begin_run",
    "check_retry",
    "choices_of",
    "choose",
    "give_credentials",
    "offers_rack_awareness",
    "retry",
    "turn_on_rack_awareness",
]
