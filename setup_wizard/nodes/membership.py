"""Ask a node that is in a cluster already which one that is, with a sign-in that serves for this question alone.

The sign-in goes to the certificate that was approved for the node and to no other, and nothing keeps it.

Reference: docs/failure-modes.md, row 13.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit, throttle
from setup_wizard.access.deeds import Deed, Outcome
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import ListedNode, find_node
from setup_wizard.nodes import client
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import AddressForbidden, NodeError, NodeRefused, NodeUnreachable, NodeUntrusted
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import Endpoint, resolve
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.redaction import Redaction
from setup_wizard.nodes.signing import SignIn

MOST = 10  # questions of one person within a minute: this is no way to guess passwords


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the question, in words for people; `obstacle` says for the audit trail why there is no answer."""

    words: str
    obstacle: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether the cluster has named itself."""
        return not self.obstacle


@sensitive_variables()
def ask(
    approval: TrustedCertificate,
    credentials: Credentials,
    *,
    by: User,
    reserved: AbstractContextManager[object],
    redaction: Redaction,
) -> Told:
    """Ask for the cluster's name and for its nodes, once each, and put down who asked and what came of it.

    The sign-in is sent within `reserved`, which may refuse it and is told by the exception how it ended. `redaction` is
    what the node may know beside it.

    Raises:
        TooOften: `by` has asked too often; nothing was sent.
    """
    throttle.count("memberships", by, most=MOST)
    told = _ask(approval, credentials, reserved, redaction)
    audit.record(
        Deed.CLUSTER_ASKED,
        by=by,
        target=audit.Target("node", approval.address, approval.address),
        fingerprint=approval.fingerprint,
        outcome=Outcome.DONE if told.is_answer else Outcome.REFUSED,
        note=told.obstacle,
    )
    return told


@sensitive_variables()
def _ask(
    approval: TrustedCertificate,
    credentials: Credentials,
    reserved: AbstractContextManager[object],
    redaction: Redaction,
) -> Told:
    """Ask, or say in words why that gave nothing."""
    try:
        return _answer(_locate(approval), approval.fingerprint, credentials, reserved, redaction)
    except AddressForbidden as problem:
        return Told(problem.message, "the address is not allowed")
    except NodeRefused:
        return Told("It refused the sign-in.", "it refused the sign-in")
    except NodeUntrusted:
        return Told(
            "It shows another certificate than the approved one: nothing was sent.", "it shows another certificate"
        )
    except NodeUnreachable as problem:
        unsent = " Nothing was sent." if problem.is_unsent else ""
        return Told(
            f"It cannot be reached: {explain_failure(problem, approval.address)}{unsent}", "it cannot be reached"
        )
    except NodeError as problem:
        return Told(explain_failure(problem, approval.address), "it gave no answer that can be used")


def _locate(approval: TrustedCertificate) -> Endpoint:
    """Ask the guard where the node's name leads, and refuse when that is elsewhere than when it was approved.

    Raises:
        AddressForbidden, NodeUnreachable: as `resolve`. Reference: N5.
    """
    approved = Address.parse(approval.address)
    endpoint = resolve(Address(approval.host, approved.port), known=approved.host)
    if endpoint.key != approval.address:
        raise AddressForbidden(
            f"{approval.host} led to {approval.address} when its certificate was approved and leads to {endpoint.key} "
            "now: nothing was sent."
        )
    return endpoint


@sensitive_variables()
def _answer(
    endpoint: Endpoint,
    fingerprint: str,
    credentials: Credentials,
    reserved: AbstractContextManager[object],
    redaction: Redaction,
) -> Told:
    sign_in = SignIn.of(credentials)
    with client.connect(endpoint, {fingerprint}, redaction=redaction) as node, reserved:
        name = node.cluster_name(sign_in)
        own = _find(node, sign_in)
    if own is None:
        return Told(f"It is in {name}, whose list of nodes does not tell which of them it is.")
    return Told(f"It is node {own.uid} of {name}, {own.status}.")


@sensitive_variables()
def _find(node: client.Connection, sign_in: SignIn) -> ListedNode | None:
    """Find the node in its cluster's list; the cluster's name is worth telling without it, too."""
    try:
        if not node.is_open:
            node.reopen()
        return find_node(node.nodes(sign_in), "", frozenset({node.endpoint.ip}))
    except NodeError:
        return None
