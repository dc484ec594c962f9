"""Probe nodes for a user, with a rate limit.

A probe is a TLS handshake and one GET without a sign-in. Nodes with an approved certificate may be probed freely;
anything else is counted, so that neither pages nor API can be used as a port scanner.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User

from setup_wizard.access import audit, throttle
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.nodes import guard, probe, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.errors import NodeError, NodeUnreachable, NodeUnverified, translated
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import AddressForbidden, Endpoint
from setup_wizard.nodes.limits import DNS_SECONDS, GET_SECONDS, PROBE_SECONDS
from setup_wizard.nodes.network_calls import Steps, run_here
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.redaction import Redaction
from setup_wizard.nodes.transport import Deadline


class ProbeFailed(Exception):
    """The node could not be probed; `code` is for programs, `message` for people."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class TooManyProbes(ProbeFailed):
    """The user has reached the limit; `retry_after` is in seconds."""

    def __init__(self, refusal: throttle.TooManyRequests) -> None:
        super().__init__(refusal.message, "too_many_requests")
        self.retry_after = refusal.retry_after


_redaction_at: Callable[[str], Redaction]  # set by `redact_with` when Django starts


def redact_with(redaction_at: Callable[[str], Redaction]) -> None:
    """Let every probe mask secrets; `redaction_at` gives those that were sent to an "address:port"."""
    global _redaction_at  # noqa: PLW0603 - set once, when Django starts
    _redaction_at = redaction_at


def probe_node(typed: Address | str, *, by: User, in_plan: bool = False) -> Probe:
    """Probe the node at this address, within 10 s; the nodes of a plan have a limit of their own.

    Raises:
        ProbeFailed: the address is invalid or not allowed, or no node answers there.
        TooManyProbes: `by` has reached the limit.
    """
    return run_here(probe_in_steps(typed, by=by, deadline=Deadline.after(PROBE_SECONDS), in_plan=in_plan))


def probe_in_steps(typed: Address | str, *, by: User, deadline: Deadline, in_plan: bool = False) -> Steps[Probe]:
    """Probe the node at this address before `deadline`; raises as `probe_node`."""
    count = count_planned_probe if in_plan else _count_one
    try:
        address = Address.parse(typed) if isinstance(typed, str) else typed
        if not (has_approval := trust.has_approval(address)):
            count(by, address)  # before the DNS lookup, which reaches other servers too
        endpoint: Endpoint = yield partial(resolve_before, deadline, address)
        redaction = _redaction_at(endpoint.key)
        found: Probe = yield partial(probe.probe_endpoint, endpoint, deadline=deadline, redaction=redaction)
    except AddressInvalid as error:
        raise ProbeFailed(explain_failure(error, str(typed)), _code(error)) from error
    except AddressForbidden as error:
        if has_approval:
            count(by, address)  # not counted above; without this, refused addresses could flood the audit log
        target = audit.Target("node", str(address), str(address))
        audit.record(NodeAudit.ADDRESS_REFUSED, by=by, target=target, outcome=AuditOutcome.REFUSED)
        raise ProbeFailed(explain_failure(error, address), _code(error)) from error
    except NodeError as error:
        raise ProbeFailed(explain_failure(error, address, is_known=has_approval), _code(error)) from error
    return found


def resolve_before(deadline: Deadline, address: Address) -> Endpoint:
    """Resolve an address before `deadline`; raises as `guard.resolve`, and NotAsked."""
    seconds = deadline.left_to_ask(DNS_SECONDS)
    with translated("dns"):
        return guard.resolve(address, seconds=seconds)


@dataclass(frozen=True, slots=True)
class MemberCertificates:
    """The certificates of the members that a join names, and the failures of those that showed none."""

    certificates: Mapping[Endpoint, Certificate] = field(default_factory=dict)
    failures: Sequence[str] = ()


def fetch_certificates(addresses: Sequence[Address], *, by: User) -> MemberCertificates:
    """Fetch the certificates of several nodes in parallel; only a TLS handshake is sent."""
    return run_here(fetch_certificates_in_steps(addresses, by=by, deadline=Deadline.after(PROBE_SECONDS)))


def fetch_certificates_in_steps(
    addresses: Sequence[Address], *, by: User, deadline: Deadline
) -> Steps[MemberCertificates]:
    """Fetch the certificates of several nodes before `deadline`."""
    admitted: list[Address] = []
    failures: list[str] = []
    for address in addresses:
        try:
            if not trust.has_approval(address):
                count_probe(by)
            admitted.append(address)
        except TooManyProbes as refusal:
            failures.append(f"{address}: {refusal.message}")
    if not admitted:
        return MemberCertificates(failures=failures)
    found: MemberCertificates = yield partial(_fetch_all, admitted, deadline)
    return MemberCertificates(found.certificates, [*failures, *found.failures])


def find_chain_error(found: Probe, trusted_ca: str) -> str:
    """Say why the certificate of a probed node does not verify against an authority (PEM); "" when it does."""
    try:
        probe.verify_certificate(found.endpoint, found.certificate.fingerprint, trusted_ca)
    except ValueError:
        return "This certificate cannot be read. Paste its whole PEM text, or choose its file again."
    except NodeUnverified as error:
        return (
            f"This did not issue the certificate of {found.address} ({error.detail}). Use the certificate of its "
            "authority, or leave this empty."
        )
    except NodeError as error:
        return explain_failure(error, found.address)
    return ""


def _fetch_all(addresses: Sequence[Address], deadline: Deadline) -> MemberCertificates:
    with ThreadPoolExecutor(len(addresses)) as pool:
        found = list(pool.map(partial(_fetch, deadline=deadline), addresses))
    certificates = dict(one for one in found if not isinstance(one, str))
    return MemberCertificates(certificates, [one for one in found if isinstance(one, str)])


def _fetch(address: Address, deadline: Deadline) -> tuple[Endpoint, Certificate] | str:
    try:
        endpoint = resolve_before(deadline, address)
        return endpoint, probe.fetch_certificate(endpoint, seconds=deadline.left_to_ask(GET_SECONDS))
    except (AddressForbidden, NodeError) as error:
        return explain_failure(error, address)


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


def count_probe(by: User) -> None:
    """Count a contact with an address without an approval.

    Raises:
        TooManyProbes: `by` has reached the limit.
    """
    most = settings.SETUP_WIZARD_PROBES_PER_MINUTE
    try:
        throttle.count("checks of new nodes", by, limit=most)
    except throttle.TooManyRequests as refusal:
        raise TooManyProbes(refusal) from refusal


def count_planned_probe(by: User, address: Address) -> None:
    """Count a contact with a node of a plan, once for each address and minute; a whole cluster is one page.

    Raises:
        TooManyProbes: `by` has reached the limit of different addresses.
    """
    most = settings.SETUP_WIZARD_PLAN_PROBES_PER_MINUTE
    try:
        throttle.count_different("checks of different nodes", str(address), by, limit=most)
    except throttle.TooManyRequests as refusal:
        raise TooManyProbes(refusal) from refusal


def _count_one(by: User, _address: Address) -> None:
    count_probe(by)
