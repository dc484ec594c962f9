"""Ask a node who it is on behalf of one person, so often and no more.

A probe is a TLS handshake and one GET without sign-in. Nodes whose certificate is approved already may be asked freely;
anything else counts, so that neither pages nor API are a port scanner. Reference: docs/failure-modes.md, N9 and N11.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User

from setup_wizard.access import audit, throttle
from setup_wizard.access.deeds import Deed, Outcome
from setup_wizard.nodes import guard, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.errors import NodeError, NodeUnreachable
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import AddressForbidden, Endpoint
from setup_wizard.nodes.probe import Probe, fetch_certificate, probe


class NoAnswer(Exception):
    """The node could not be asked; `code` is for programs, `message` says why in plain words."""

    def __init__(self, message: str, code: str = "no_answer") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class AskedTooOften(NoAnswer):
    """This person has asked strangers too often; `retry_after` is in seconds."""

    def __init__(self, refusal: throttle.TooOften) -> None:
        super().__init__(
            f"You have asked {refusal.most} times within a minute. Wait a minute, then ask again.", "too_many_requests"
        )
        self.retry_after = refusal.retry_after


def ask(typed: Address | str, *, by: User) -> Probe:
    """Ask the node at this address who it is, within 10 s.

    Raises:
        NoAnswer: the address is none or not allowed, or nothing there speaks for a node.
        AskedTooOften: `by` has asked too often.
    """
    try:
        address = Address.parse(typed) if isinstance(typed, str) else typed
        if not (is_known := trust.is_known(address)):
            _count(by)  # before its name is looked up: that is a question to somebody too
        return probe(address)
    except AddressInvalid as error:
        raise NoAnswer(explain_failure(error, str(typed)), _code(error)) from error
    except AddressForbidden as error:
        if is_known:
            _count(by)  # or the trail could be filled as fast as one can ask
        target = audit.Target("node", str(address), str(address))
        audit.record(Deed.ADDRESS_REFUSED, by=by, target=target, outcome=Outcome.REFUSED)
        raise NoAnswer(explain_failure(error, address), _code(error)) from error
    except NodeError as error:
        raise NoAnswer(explain_failure(error, address), _code(error)) from error


@dataclass(frozen=True, slots=True)
class Companions:
    """The certificates that several nodes show, by where they are, and why the others show none."""

    certificates: Mapping[Endpoint, Certificate] = field(default_factory=dict)
    failures: Sequence[str] = ()


def look_at(addresses: Sequence[Address], *, by: User) -> Companions:
    """Fetch the certificates of several nodes at the same moment; nothing but a handshake is sent."""
    endpoints: list[Endpoint] = []
    failures: list[str] = []
    for address in addresses:
        try:
            if not trust.is_known(address):
                _count(by)
            endpoints.append(guard.resolve(address))
        except AskedTooOften as refusal:
            failures.append(f"{address}: {refusal.message}")
        except (AddressForbidden, NodeError) as error:
            failures.append(explain_failure(error, address))
    if not endpoints:
        return Companions(failures=failures)
    with ThreadPoolExecutor(len(endpoints)) as pool:
        found = list(pool.map(_certificate, endpoints))
    certificates = {
        endpoint: one for endpoint, one in zip(endpoints, found, strict=True) if isinstance(one, Certificate)
    }
    return Companions(certificates, [*failures, *(one for one in found if isinstance(one, str))])


def _certificate(endpoint: Endpoint) -> Certificate | str:
    try:
        return fetch_certificate(endpoint)
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
        throttle.count("probes", by, most=most)
    except throttle.TooOften as refusal:
        raise AskedTooOften(refusal) from refusal
