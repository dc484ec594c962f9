"""Probe nodes for a user, with a rate limit.

A probe is a TLS handshake and one GET without a sign-in. Nodes with an approved certificate may be probed freely;
anything else is counted, so that neither pages nor API can be used as a port scanner.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User

from setup_wizard.access import audit, throttle
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.nodes import guard, probe, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.errors import NodeError, NodeUnreachable
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import AddressForbidden, Endpoint
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.redaction import Redaction


class ProbeFailed(Exception):
    """The node could not be probed; `code` is for programs, `message` for people."""

    def __init__(self, message: str, code: str = "no_answer") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class TooManyProbes(ProbeFailed):
    """The user has reached the limit; `retry_after` is in seconds."""

    def __init__(self, refusal: throttle.TooManyRequests) -> None:
        super().__init__(
            f"Too many checks: {refusal.limit} within a minute. Wait a minute and try again.", "too_many_requests"
        )
        self.retry_after = refusal.retry_after


_redaction_at: Callable[[str], Redaction]  # set by `redact_with` when Django starts


def redact_with(redaction_at: Callable[[str], Redaction]) -> None:
    """Let every probe mask secrets; `redaction_at` gives those that were sent to an "address:port"."""
    global _redaction_at  # noqa: PLW0603 - set once, when Django starts
    _redaction_at = redaction_at


def probe_node(typed: Address | str, *, by: User) -> Probe:
    """Probe the node at this address, within 10 s.

    Raises:
        ProbeFailed: the address is invalid or not allowed, or no node answers there.
        TooManyProbes: `by` has reached the limit.
    """
    try:
        address = Address.parse(typed) if isinstance(typed, str) else typed
        if not (has_approval := trust.has_approval(address)):
            _count(by)  # before the DNS lookup, which reaches other servers too
        return probe.probe(address, redaction_at=_redaction_at)
    except AddressInvalid as error:
        raise ProbeFailed(explain_failure(error, str(typed)), _code(error)) from error
    except AddressForbidden as error:
        if has_approval:
            _count(by)  # not counted above; without this, refused addresses could flood the audit log
        target = audit.Target("node", str(address), str(address))
        audit.record(NodeAudit.ADDRESS_REFUSED, by=by, target=target, outcome=AuditOutcome.REFUSED)
        raise ProbeFailed(explain_failure(error, address), _code(error)) from error
    except NodeError as error:
        raise ProbeFailed(explain_failure(error, address), _code(error)) from error


@dataclass(frozen=True, slots=True)
class MemberCertificates:
    """The certificates of the members that a join names, and the failures of those that showed none."""

    certificates: Mapping[Endpoint, Certificate] = field(default_factory=dict)
    failures: Sequence[str] = ()


def fetch_certificates(addresses: Sequence[Address], *, by: User) -> MemberCertificates:
    """Fetch the certificates of several nodes in parallel; only a TLS handshake is sent."""
    endpoints: list[Endpoint] = []
    failures: list[str] = []
    for address in addresses:
        try:
            if not trust.has_approval(address):
                _count(by)
            endpoints.append(guard.resolve(address))
        except TooManyProbes as refusal:
            failures.append(f"{address}: {refusal.message}")
        except (AddressForbidden, NodeError) as error:
            failures.append(explain_failure(error, address))
    if not endpoints:
        return MemberCertificates(failures=failures)
    with ThreadPoolExecutor(len(endpoints)) as pool:
        found = list(pool.map(_certificate, endpoints))
    certificates = {
        endpoint: one for endpoint, one in zip(endpoints, found, strict=True) if isinstance(one, Certificate)
    }
    return MemberCertificates(certificates, [*failures, *(one for one in found if isinstance(one, str))])


def _certificate(endpoint: Endpoint) -> Certificate | str:
    try:
        return probe.fetch_certificate(endpoint)
    except NodeError as error:
        return explain_failure(error, endpoint.address)


def _code(error: NodeError | AddressForbidden | AddressInvalid) -> str:
    match error:
        case AddressInvalid():
            return "address_invalid"
        case AddressForbidden():
            return "address_forbidden"
        case NodeUnreachable():
            return "node_unreachable"
        case _:
            return "not_a_node"


def _count(by: User) -> None:
    most = settings.SETUP_WIZARD_PROBES_PER_MINUTE
    try:
        throttle.count("probes", by, limit=most)
    except throttle.TooManyRequests as refusal:
        raise TooManyProbes(refusal) from refusal
