"""Let a node check a request: its answer as an observation, and the outcome of the sign-in that it made for a join."""

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts.observations import Invalid, NotValidated, Observation, Valid, answered
from setup_wizard.attempts.reducer import ACCESS_DENIED
from setup_wizard.attempts.sign_ins import Reservation
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.nodes import client
from setup_wizard.nodes.errors import (
    BootstrapUnsupported,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
)
from setup_wizard.nodes.limits import VALIDATE_SECONDS


def save_sign_in_outcome(sent: Reservation, seen: Observation) -> None:
    """Record the outcome of the sign-in that a joining node made during the check."""
    match seen:
        case Valid():
            sent.accept()
        case Invalid(status=status) if status.error_code == ACCESS_DENIED:
            sent.refuse()
        case NotValidated(is_lost=True):
            sent.lose()
        case _:
            sent.release()


@sensitive_variables()
def ask_to_validate(
    node: client.NodeConnection, request: BootstrapRequest, *, seconds: float = VALIDATE_SECONDS
) -> Observation:
    """Send the request with its credentials to be checked; nothing is started.

    Returns `Valid`, `Invalid` or `NotValidated`: older nodes have no such call.
    """
    try:
        found = node.validate(request, seconds=seconds)
    except NodeRedirected as problem:
        return NotValidated(f"it answered {problem.status}")
    except (BootstrapUnsupported, NodeRefused) as problem:
        return NotValidated(_said(problem))
    except (NodeUnavailable, NodeMisbehaved) as problem:
        return NotValidated(_said(problem), is_lost=True)
    except NodeUnreachable as problem:
        return NotValidated(problem.detail, is_lost=not problem.is_unsent)
    except NodeError as problem:
        return NotValidated(str(problem))
    return Invalid(found) if found else Valid()


def _said(problem: BootstrapUnsupported | NodeRefused | NodeUnavailable | NodeMisbehaved) -> str:
    return f"it answered {answered(problem.status, problem.body.line)}" if problem.status else str(problem)
