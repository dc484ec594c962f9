"""Explain our own verdicts: what each reason means for this node, why it comes about, what to check, what to change.

The node's own codes are explained by `bootstrap.error_catalogue`; `explain` picks the one that applies.
"""

from dataclasses import replace

from setup_wizard.attempts.explanations.ended import ENDED
from setup_wizard.attempts.explanations.needs_operator import WAITING
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap import error_catalogue
from setup_wizard.bootstrap.error_catalogue import Explanation
from setup_wizard.bootstrap.status import NodeFacts

__all__ = ["explain"]

_NOT_PROVED = (
    "The answer to the request was lost, and this bootstrap began when it had been sent: in all likelihood it was this "
    "setup's."
)
_EXPLANATIONS = ENDED | WAITING


def explain(attempt: Attempt) -> Explanation | None:
    """Say what is wrong with this attempt and what to do; None when nothing is."""
    if attempt.why in {Reason.NODE_ERROR, Reason.VALIDATION}:
        known = error_catalogue.explain(
            attempt.error_code,
            attempt.error_details or {},
            request=attempt.request,
            node=attempt.address,
            facts=NodeFacts.from_json(attempt.facts),
        )
        if attempt.why is Reason.VALIDATION:
            begun = f"Nothing was begun: {attempt.address} only checked the request."
            return replace(known, meaning=f"{begun} {known.meaning}")
        return replace(known, meaning=f"{known.meaning} {_NOT_PROVED}") if attempt.unconfirmed else known
    if attempt.why is Reason.NONE or attempt.status not in {State.FAILED, State.NEEDS_OPERATOR, State.CANCELLED}:
        return None
    return _EXPLANATIONS[attempt.why](attempt)
