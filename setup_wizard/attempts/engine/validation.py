"""Let the node validate the request before the bootstrap, in a separate tick."""

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.engine.lease import Lease
from setup_wizard.attempts.observations import (
    CredentialsMissing,
    Invalid,
    NotValidated,
    Observation,
    Seen,
    Valid,
    answered,
)
from setup_wizard.attempts.reducer import ACCESS_DENIED, may_submit, pins
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials, parse_request
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
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.redaction import Redaction


@sensitive_variables()
def validate(lease: Lease, endpoint: Endpoint, credentials: Credentials | None, redaction: Redaction) -> Observation:
    """Ask the node to validate the request, including the credentials.

    As for the bootstrap itself, they are sent only over an approved certificate, and after an answer that only a node
    gives.

    Raises:
        NodeError: nothing was sent.
        SignInBlocked: the node would use these credentials at the cluster, and they may not be sent now.
    """
    with client.connect(endpoint, pins(lease.snapshot), redaction=redaction) as node:
        baseline = node.bootstrap_answer().status
        if not may_submit(lease.snapshot, baseline):
            return Seen(baseline, node.certificate.fingerprint)
        if credentials is None:
            return CredentialsMissing()
        request = parse_request(lease.attempt.request, credentials_required=False).with_credentials(credentials)
        if not node.is_open:
            node.reopen()
        if lease.snapshot.action is not Action.JOIN:  # only a join uses the credentials at a cluster
            return _outcome(node, request)
        account = sign_ins.Account.of(lease.snapshot, credentials.username)
        with sign_ins.reserved(account, credentials) as sent:
            seen = _outcome(node, request)
            _settle(sent, seen)
        return seen


def _settle(sent: sign_ins.Reservation, seen: Observation) -> None:
    """Record the outcome of the sign-in that a joining node made during the validation."""
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
def _outcome(node: client.NodeConnection, request: BootstrapRequest) -> Observation:
    """Any other answer means not validated: older nodes do not have this endpoint."""
    try:
        found = node.validate(request)
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
