"""What a page shows of a node that was asked: facts, state in words, certificate, and what stands in the way."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User

from setup_wizard.attempts import explanations, visibility
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.present import present
from setup_wizard.attempts.states import Reason
from setup_wizard.bootstrap.catalogue import Explanation, explain
from setup_wizard.bootstrap.sizes import format_size, format_uptime
from setup_wizard.bootstrap.status import NodeFacts, NodeState
from setup_wizard.nodes import trust
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import Probe


@dataclass(frozen=True)
class Card:
    """One node that answered."""

    probe: Probe
    approval: TrustedCertificate | None
    running: Attempt | None
    cause: Attempt | None = None  # the attempt that its last failure came from, where the person may see it

    @property
    def address(self) -> str:
        """The address as typed, with its port."""
        return str(self.probe.address)

    @property
    def certificate(self) -> Certificate:
        """What it showed in the handshake."""
        return self.probe.certificate

    @property
    def fingerprint_groups(self) -> list[str]:
        """The SHA-256 in pairs, each but the last with its colon."""
        return in_pairs(self.certificate.fingerprint)

    @property
    def own_place(self) -> str:
        """Where its API is for a command that runs on the node itself."""
        address = self.probe.address
        return str(address) if address.host.startswith("127.") else f"localhost:{address.port}"

    @property
    def facts(self) -> NodeFacts:
        """What it said of itself."""
        return self.probe.answer.node if self.probe.answer else NodeFacts()

    @property
    def state(self) -> NodeState:
        """Where its bootstrap stands; a member that asks for a sign-in has completed one."""
        if self.probe.member or self.probe.answer is None:
            return NodeState.COMPLETED
        return self.probe.answer.status.state

    @property
    def is_member(self) -> bool:
        """Whether it is part of a cluster already."""
        return self.state is NodeState.COMPLETED

    @property
    def is_busy(self) -> bool:
        """Whether a bootstrap of it runs, ours or another."""
        return self.running is not None or self.state.is_running

    @property
    def needs_decision(self) -> bool:
        """Whether its setup, or the one that it is behind, waits for a person."""
        return self.running is not None and self.running.tone == "warn"

    @property
    def is_ready(self) -> bool:
        """Whether it takes a bootstrap now."""
        return self.running is None and self.state.accepts_bootstrap

    @property
    def has_failed(self) -> bool:
        """Whether its last bootstrap failed."""
        return self.is_ready and self.state is NodeState.ERROR

    @property
    def tone(self) -> str:
        """How its state is coloured."""
        if self.has_failed or self.needs_decision:
            return "warn"
        return "good" if self.is_ready else "live" if self.is_busy else "todo"

    @property
    def headline(self) -> str:
        """Its state in a few words."""
        if self.needs_decision:
            return "Its setup waits for a decision"
        if self.running:
            return "A setup of it is running here"
        if self.is_busy:
            label = self.probe.answer.status.label if self.probe.answer else ""
            return f"Busy: {label[:1].lower()}{label[1:]}"
        if self.is_member:
            return "Already part of a cluster"
        return "Free, but its last setup failed" if self.has_failed else "Ready to be set up"

    @property
    def obstacle(self) -> str:
        """Why it cannot be set up now and what to do, in plain words; empty when it can."""
        if self.running:
            return (
                f"{self.running.requested_by} started a setup of {self.address} that has not ended yet. Watch that one."
            )
        if self.is_busy:
            return (
                f"{self.address} is at work on a bootstrap that was not started here, and takes no second one. "
                "Wait until it has ended, then ask again."
            )
        if self.is_member:
            return (
                f"{self.address} is part of a cluster already, and a node cannot be set up twice. Choose a fresh node. "
                "To use this one again, remove it from its cluster first, or install the software anew."
            )
        return ""

    @property
    def old_error(self) -> Explanation | None:
        """What its last bootstrap failed of: by its attempt where there is one, else by the code alone."""
        if not self.has_failed or self.probe.answer is None:
            return None
        if self.cause:
            return explanations.explain(self.cause)
        code = self.probe.answer.status.error_code or ""
        return explain(code, {}, request={}, node=self.address, facts=self.facts)

    @property
    def run(self) -> str:
        """What tells its last bootstrap from the next: the time at which that began."""
        return (self.probe.answer.status.start_time or "") if self.probe.answer else ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What it said of itself, as pairs to be read; what it did not say is left out."""
        return [(name, value) for name, value in self._rows() if value]

    def _rows(self) -> Iterator[tuple[str, str]]:
        facts = self.facts
        yield "Software", facts.software_version or ""
        yield "System", facts.os_version or facts.os_name or ""
        yield "Cores", f"{facts.cores:g}" if facts.cores else ""
        yield "Memory", format_size(facts.total_memory)
        yield "Persistent disk", format_size(facts.persistent_storage_size)
        yield "Ephemeral disk", format_size(facts.ephemeral_storage_size)
        yield "Addresses", ", ".join(address.address for address in facts.addresses)
        yield "Up for", format_uptime(facts.uptime) if facts.uptime is not None else ""


def show(probe: Probe, *, by: User | None = None) -> Card:
    """Put together what is known of a node that answered, and what `by` may see of its last failure."""
    key = probe.endpoint.key
    approvals = (one for one in trust.approved(key) if one.fingerprint == probe.certificate.fingerprint)
    running = Attempt.objects.filter(address=key, state__in=OPEN_STATES).select_related("requested_by").first()
    return Card(probe, next(approvals, None), running, _cause(probe, by) if by else None)


def _cause(probe: Probe, by: User) -> Attempt | None:
    """Find the attempt that the node's last failure came from: the one that began at the same time."""
    status = probe.answer.status if probe.answer else None
    if status is None or status.state is not NodeState.ERROR or not status.start_time:
        return None
    failed = present().filter(address=probe.endpoint.key, reason=Reason.NODE_ERROR, error_code=status.error_code or "")
    return visibility.seen_by(by, failed).filter(accepted_start_time=status.start_time).first()


def in_pairs(fingerprint: str) -> list[str]:
    """Part a fingerprint where a line may break: after each colon."""
    *pairs, last = fingerprint.split(":")
    return [*(f"{pair}:" for pair in pairs), last]


def doubt(card: Card, *, shown: str, ticked: bool) -> str:
    """Say why the node's certificate is not approved yet; empty when it is, or is now.

    `shown` is the fingerprint that the page showed beside the tick, so that a certificate that changed between showing
    and posting is never approved unseen.
    """
    if card.approval:
        return ""
    seen = card.certificate.fingerprint
    if shown and shown != seen:
        return (
            f"{card.address} shows another certificate now than the one this page showed: {shown[:11]}… before, "
            f"{seen[:11]}… now. Compare the new one with the node before you go on."
        )
    if not ticked or not shown:
        return f"Compare the certificate of {card.address} with the one on the node, then tick that it is the same."
    return ""
