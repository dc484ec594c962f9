"""Explain each reason: what it means for this node, possible causes, what to check and how to fix it.

The node's own codes are explained by `bootstrap.error_catalogue`; `explain` picks the right one.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from setup_wizard.attempts.explanations.ended import ENDED
from setup_wizard.attempts.explanations.needs_operator import WAITING
from setup_wizard.attempts.explanations.phases import what_to_check
from setup_wizard.attempts.explanations.succeeded import RACK_AWARENESS, Remark, remarks
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap import error_catalogue, known_defects
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import ErrorCode, Explanation
from setup_wizard.bootstrap.status import NodeFacts

__all__ = ["RACK_AWARENESS", "Remark", "explain", "remarks", "what_to_check"]

_NOT_PROVED = (
    "The answer to the request was lost. This bootstrap started after the request was sent, so it is very likely this "
    "setup's."
)
_EXPLANATIONS = ENDED | WAITING
MAX_CAUSES: Final = 4


def explain(attempt: Attempt) -> Explanation | None:
    """Say what is wrong with this attempt and what to do; None when nothing is wrong."""
    explanation = _explain(attempt)
    if explanation is None or not (defects := tuple(filter(None, _known_defects(attempt)))):
        return explanation
    return replace(explanation, causes=(*defects, *explanation.causes)[:MAX_CAUSES])


def _known_defects(attempt: Attempt) -> Iterator[str]:
    """Name the defects of the node's version that may have caused this."""
    version, request = NodeFacts.from_json(attempt.facts).software_version, attempt.request
    code = attempt.error_code if attempt.why is Reason.NODE_ERROR else ""
    stays_partial = attempt.why in {Reason.NODE_RESET, Reason.OVERDUE, Reason.LOST_CONTACT}
    if attempt.action == Action.CREATE and (stays_partial or code == ErrorCode.INTERNAL_ERROR):
        yield known_defects.name_partial_create(version)
    if attempt.why is Reason.VALIDATION or code in {ErrorCode.CONFIG_ERROR, ErrorCode.CONNECT_ERROR}:
        identity = (request.get("node") or {}).get("identity") or {}
        members = (request.get("cluster") or {}).get("nodes") or ()
        addresses = [identity.get("addr") or "", *(identity.get("external_addr") or ()), *members]
        yield known_defects.name_loopback_defect(addresses, version)


def _explain(attempt: Attempt) -> Explanation | None:
    if attempt.why in {Reason.NODE_ERROR, Reason.VALIDATION}:
        known = error_catalogue.explain(
            attempt.error_code,
            attempt.error_details or {},
            request=attempt.request,
            node=attempt.address,
            facts=NodeFacts.from_json(attempt.facts),
        )
        if attempt.why is Reason.VALIDATION:
            unchanged = f"{attempt.address} checked the request and changed nothing."
            return replace(known, meaning=f"{unchanged} {known.meaning}")
        return replace(known, meaning=f"{known.meaning} {_NOT_PROVED}") if attempt.unconfirmed else known
    if attempt.why is Reason.NONE or attempt.status not in {State.FAILED, State.NEEDS_OPERATOR, State.CANCELLED}:
        return None
    return _EXPLANATIONS[attempt.why](attempt)
