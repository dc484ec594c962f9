"""Find out which cluster a node is in, with credentials that are used once and not stored.

The credentials are sent only to the certificate that was approved for the node.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit, throttle
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import find_node
from setup_wizard.nodes import client
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.cluster_reading import Part, read_cluster
from setup_wizard.nodes.errors import AddressForbidden, NodeError, NodeRefused, NodeUnreachable, NodeUntrusted
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import Endpoint, resolve
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.redaction import Redaction

MAX_PER_MINUTE = 10  # for each user, so that nobody can guess passwords this way


@dataclass(frozen=True, slots=True)
class ClusterAnswer:
    """The answer or why there is none, as `message` for people; `failure` is the reason for the audit log."""

    message: str
    failure: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether the cluster gave its name."""
        return not self.failure


@sensitive_variables()
def find_cluster(
    approval: TrustedCertificate,
    credentials: Credentials,
    *,
    by: User,
    reserved: AbstractContextManager[object],
    redaction: Redaction,
) -> ClusterAnswer:
    """Ask for the cluster's name and its nodes, once each, and record the request in the audit log.

    The credentials are sent inside `reserved`, which may refuse them and sees the exception. `redaction` holds what
    else the node may know.

    Raises:
        TooManyRequests: `by` has reached the limit; nothing was sent.
    """
    throttle.count("requests for a cluster's name", by, limit=MAX_PER_MINUTE)
    answer = _ask(approval, credentials, reserved, redaction)
    audit.record(
        NodeAudit.CLUSTER_ASKED,
        by=by,
        target=audit.Target("node", approval.address, approval.address),
        fingerprint=approval.fingerprint,
        outcome=AuditOutcome.DONE if answer.is_answer else AuditOutcome.REFUSED,
        note=answer.failure,
    )
    return answer


@sensitive_variables()
def _ask(
    approval: TrustedCertificate,
    credentials: Credentials,
    reserved: AbstractContextManager[object],
    redaction: Redaction,
) -> ClusterAnswer:
    try:
        return _sign_in_and_ask(_locate(approval), approval.fingerprint, credentials, reserved, redaction)
    except AddressForbidden as error:
        return ClusterAnswer(error.message, "the address is not allowed")
    except NodeRefused:
        return ClusterAnswer("The node rejected these credentials.", "credentials rejected")
    except NodeUntrusted:
        return ClusterAnswer(
            "The node shows a certificate that is not approved. Nothing was sent.", "certificate not approved"
        )
    except NodeUnreachable as error:
        unsent = " Nothing was sent." if error.is_unsent else ""
        return ClusterAnswer(f"{explain_failure(error, approval.address)}{unsent}", "node unreachable")
    except NodeError as error:
        return ClusterAnswer(explain_failure(error, approval.address), "no usable answer")


def _locate(approval: TrustedCertificate) -> Endpoint:
    """Resolve the node's name, and refuse when it points to another address than at the approval.

    Raises:
        AddressForbidden, NodeUnreachable: as `resolve`.
    """
    approved = Address.parse(approval.address)
    endpoint = resolve(Address(approval.host, approved.port), preferred=approved.host)
    if endpoint.key != approval.address:
        raise AddressForbidden(
            f"{approval.host} now points to {endpoint.key}; its certificate was approved at {approval.address}. "
            "Nothing was sent."
        )
    return endpoint


@sensitive_variables()
def _sign_in_and_ask(
    endpoint: Endpoint,
    fingerprint: str,
    credentials: Credentials,
    reserved: AbstractContextManager[object],
    redaction: Redaction,
) -> ClusterAnswer:
    with client.connect(endpoint, {fingerprint}, redaction=redaction) as node:
        reading = read_cluster(node, credentials, reserved=reserved, parts={Part.NODES})
    name, own = reading.cluster.name, find_node(reading.nodes or (), "", frozenset({endpoint.ip}))
    if own is None:
        return ClusterAnswer(f"This node is in {name}, but {name}'s node list has no entry with this node's address.")
    return ClusterAnswer(f"This is node {own.uid} of {name}, status {own.status}.")
