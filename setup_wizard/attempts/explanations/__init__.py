"""Explain each reason: what it means for this node, possible causes, what to check and how to fix it.

The node's own codes are explained by `bootstrap.error_catalogue`; `explain` picks the right one.
"""

from dataclasses import replace

from setup_wizard.attempts.explanations.ended import ENDED
from setup_wizard.attempts.explanations.needs_operator import WAITING
from setup_wizard.attempts.explanations.succeeded import Remark, remarks
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap import error_catalogue
from setup_wizard.bootstrap.error_catalogue import Explanation
from setup_wizard.bootstrap.status import NodeFacts

__all__ = ["Remark", "explain", "remarks"]

_NOT_PROVED = (
    "The answer to the request was lost. This bootstrap started after the request was sent, so it is very likely this "
    "setup's."
)
_EXPLANATIONS = ENDED | WAITING


def explain(attempt: Attempt) -> Explanation | None:
    """Say what is wrong with this attempt and what to do; None when nothing is wrong."""
    if attempt.why in {Reason.NODE_ERROR, Reason.VALIDATION}:
        known = error_catalogue.explain(
            attempt.error_code,
            attempt.error_details or {},
            request=attempt.request,
            node=attempt.address,
            facts=NodeFacts.from_json(attempt.facts),
        )
        if attempt.why is Reason.VALIDATION:
            unchanged = f"{attempt.address} only checked the request and was not changed."
            return replace(known, meaning=f"{unchanged} {known.meaning}")
        return replace(known, meaning=f"{known.meaning} {_NOT_PROVED}") if attempt.unconfirmed else known
    if attempt.why is Reason.NONE or attempt.status not in {State.FAILED, State.NEEDS_OPERATOR, State.CANCELLED}:
        return None
    return _EXPLANATIONS[attempt.why](attempt)
