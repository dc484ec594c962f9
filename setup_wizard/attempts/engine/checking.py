"""Have the node look at the request before it gets it, in a tick of its own: nothing is begun by it.

Reference: docs/failure-modes.md, rows 15 and 16.
"""

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts.engine.lease import Lease
from setup_wizard.attempts.observations import Observation, SecretGone, Seen, Sound, Unchecked, Unsound, answered
from setup_wizard.attempts.reducer import may_submit, pins
from setup_wizard.bootstrap.request import Credentials, Request, parse_request
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
def check(lease: Lease, endpoint: Endpoint, credentials: Credentials | None, redaction: Redaction) -> Observation:
    """Ask for the node's verdict on the request, secrets included.

    As for the bootstrap itself, they leave on a connection whose certificate was approved, and only after an answer on
    it that nothing but a node gives.

    Raises:
        NodeError: it did not come to that; nothing was sent.
    """
    with client.connect(endpoint, pins(lease.standing), redaction=redaction) as node:
        baseline = node.status().status
        if not may_submit(lease.standing, baseline):
            return Seen(baseline, node.certificate.fingerprint)
        if credentials is None:
            return SecretGone()
        request = parse_request(lease.attempt.request, credentials_required=False).with_credentials(credentials)
        if not node.is_open:
            node.reopen()
        return _verdict(node, request)


@sensitive_variables()
def _verdict(node: client.Connection, request: Request) -> Observation:
    """Take whatever is no verdict as none: older nodes have no such call, and the bootstrap itself will tell."""
    try:
        found = node.validate(request)
    except NodeRedirected as problem:
        return Unchecked(f"it answered {problem.status}")
    except (BootstrapUnsupported, NodeRefused, NodeUnavailable, NodeMisbehaved) as problem:
        if not problem.status:
            return Unchecked(str(problem))
        return Unchecked(f"it answered {answered(problem.status, problem.body.line)}")
    except NodeUnreachable as problem:
        return Unchecked(problem.detail)
    except NodeError as problem:
        return Unchecked(str(problem))
    return Unsound(found) if found else Sound()
