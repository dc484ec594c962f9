"""The first contact with a node: a TLS handshake, then one unauthenticated GET pinned to that certificate."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from setup_wizard.bootstrap.status import BootstrapAnswer, NodeFacts, NodeState, parse_answer
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.client import connect
from setup_wizard.nodes.clock_offset import ClockOffset
from setup_wizard.nodes.connection import NO_SECRETS
from setup_wizard.nodes.errors import NodeRefused, translated
from setup_wizard.nodes.guard import Endpoint, resolve
from setup_wizard.nodes.limits import DNS_SECONDS, GET_SECONDS, PROBE_SECONDS
from setup_wizard.nodes.redaction import Redaction
from setup_wizard.nodes.transport import Deadline, TLSConnection, make_verifying_context


@dataclass(frozen=True, slots=True)
class Probe:
    """What a node reports before its certificate is approved; `member` when it is already in a cluster.

    A member may require a sign-in: then `answer` is None. Of the last bootstrap only state, code and times are kept:
    the node's message may quote somebody else's request, so only the page of that attempt shows it.
    """

    address: Address
    endpoint: Endpoint
    certificate: Certificate
    answer: BootstrapAnswer | None
    member: bool
    clock: ClockOffset | None = field(default=None, compare=False)  # not stored: it says nothing later

    def as_json(self) -> dict[str, object]:
        """Return the probe as JSON for a draft; `from_json` reads it back."""
        return {
            "address": str(self.address),
            "ip": self.endpoint.ip,
            "certificate": self.certificate.as_json(),
            "answer": _write_answer(self.answer),
            "member": self.member,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Probe":
        """Read what `as_json` returned.

        Raises:
            ValueError: the document is invalid.
        """
        address = Address.parse(str(document.get("address", "")))
        certificate = document.get("certificate")
        if not isinstance(certificate, Mapping):
            raise ValueError("a probe without a certificate")  # noqa: TRY004 - one exception for any bad document
        return cls(
            address=address,
            endpoint=Endpoint(address, str(document.get("ip", "")), address.port),
            certificate=Certificate.from_json(certificate),
            answer=_read_answer(document.get("answer")),
            member=document.get("member") is True,
        )


def probe(address: Address, *, seconds: float = PROBE_SECONDS) -> Probe:
    """Probe the node at `address` without credentials.

    Raises:
        AddressForbidden: this server may not connect to it.
        NodeMisbehaved: it is not a node.
        NodeError: it could not be reached.
    """
    deadline = Deadline.after(seconds)
    return probe_endpoint(resolve(address, seconds=min(DNS_SECONDS, seconds)), deadline=deadline)


def probe_endpoint(endpoint: Endpoint, *, deadline: Deadline, redaction: Redaction = NO_SECRETS) -> Probe:
    """Probe the node at a checked address; `redaction` has the secrets to mask in its answer. Raises as `probe`."""
    certificate = fetch_certificate(endpoint, seconds=deadline.left_to_ask(GET_SECONDS)).masked(redaction)
    with translated("answer"):
        seconds = deadline.left(GET_SECONDS)
    with connect(endpoint, {certificate.fingerprint}, seconds=seconds, redaction=redaction) as connection:
        try:
            answer = connection.bootstrap_answer()
            answer = replace(answer, status=answer.status.without_words())
        except NodeRefused as refusal:
            if refusal.status != 401:
                raise
            return Probe(endpoint.address, endpoint, certificate, answer=None, member=True, clock=connection.clock)
    is_member = answer.status.state is NodeState.COMPLETED
    return Probe(endpoint.address, endpoint, certificate, answer, member=is_member, clock=connection.clock)


def fetch_certificate(endpoint: Endpoint, *, seconds: float = GET_SECONDS) -> Certificate:
    """Get a node's certificate from a TLS handshake; nothing else is sent.

    Raises:
        NodeUnreachable: phase "connect" or "tls".
    """
    connection = TLSConnection(endpoint, None, Deadline.after(seconds))
    connection.close()
    return connection.certificate


def verify_certificate(endpoint: Endpoint, fingerprint: str, trusted_ca: str, *, seconds: float = GET_SECONDS) -> None:
    """Check in a TLS handshake that an authority in `trusted_ca` (PEM) issued a node's certificate.

    Raises:
        NodeUnverified: none did.
        NodeUntrusted: the node shows another certificate now.
        NodeUnreachable: phase "connect" or "tls".
    """
    TLSConnection(endpoint, {fingerprint}, Deadline.after(seconds), make_verifying_context(trusted_ca)).close()


def _write_answer(answer: BootstrapAnswer | None) -> dict[str, object] | None:
    if answer is None:
        return None
    status = answer.status
    return {
        "bootstrap_status": {
            "state": status.word,
            "start_time": status.start_time,
            "end_time": status.end_time,
            "error_code": status.error_code,
        },
        "node": answer.node.as_json(),
    }


def _read_answer(document: object) -> BootstrapAnswer | None:
    if not isinstance(document, Mapping):
        return None
    return BootstrapAnswer(
        status=parse_answer(document).status.without_words(), node=NodeFacts.from_json(document.get("node"))
    )
