"""What a page shows of a probed node: details, state, certificate, and why it cannot be set up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from setup_wizard.attempts import explanations, visibility
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.states import Reason
from setup_wizard.bootstrap.error_catalogue import Explanation, explain
from setup_wizard.bootstrap.sizes import format_size, format_uptime
from setup_wizard.bootstrap.status import NodeFacts, NodeState
from setup_wizard.nodes import trust
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import Probe


@dataclass(frozen=True)
class NodeSummary:
    """A node that answered a probe."""

    probe: Probe
    approval: TrustedCertificate | None
    open_attempt: Attempt | None
    failed_attempt: Attempt | None = None  # the attempt that left it failed, if this person may see it

    @property
    def address(self) -> str:
        """The address as typed, with its port."""
        return str(self.probe.address)

    @property
    def certificate(self) -> Certificate:
        """The certificate from the handshake."""
        return self.probe.certificate

    @property
    def local_address(self) -> str:
        """The address of its API for a command that runs on the node itself."""
        return self.probe.address.on_the_node

    @property
    def facts(self) -> NodeFacts:
        """What the node reports about itself."""
        return self.probe.answer.node if self.probe.answer else NodeFacts()

    @property
    def state(self) -> NodeState:
        """The state of its bootstrap; a member that asks for credentials has completed one."""
        if self.probe.member or self.probe.answer is None:
            return NodeState.COMPLETED
        return self.probe.answer.status.state

    @property
    def is_member(self) -> bool:
        """Whether it is in a cluster."""
        return self.state is NodeState.COMPLETED

    @property
    def is_busy(self) -> bool:
        """Whether a bootstrap is running, ours or not."""
        return self.open_attempt is not None or self.state.is_running

    @property
    def needs_decision(self) -> bool:
        """Whether its open attempt waits for an operator."""
        return self.open_attempt is not None and self.open_attempt.tone == "warn"

    @property
    def is_ready(self) -> bool:
        """Whether it accepts a bootstrap now."""
        return self.open_attempt is None and self.state.accepts_bootstrap

    @property
    def has_failed(self) -> bool:
        """Whether its last bootstrap failed."""
        return self.is_ready and self.state is NodeState.ERROR

    @property
    def tone(self) -> str:
        """The colour of its state."""
        if self.has_failed or self.needs_decision:
            return "warn"
        return "good" if self.is_ready else "live" if self.is_busy else "todo"

    @property
    def headline(self) -> str:
        """Its state in a few words."""
        if self.needs_decision:
            return "Action needed"
        if self.open_attempt:
            return "Setup running"
        if self.is_busy:
            label = self.probe.answer.status.label if self.probe.answer else ""
            return f"Busy: {label[:1].lower()}{label[1:]}"
        if self.is_member:
            return "In a cluster"
        return "Ready; last setup failed" if self.has_failed else "Ready to set up"

    @property
    def blocked_reason(self) -> str:
        """Why it cannot be set up now and what to do; empty when it can."""
        if self.open_attempt:
            return f"{self.open_attempt.requested_by} is already setting up {self.address}. Follow that setup instead."
        if self.is_busy:
            return (
                f"{self.address} is running a bootstrap that was not started here. "
                "Wait until it has ended, then check again."
            )
        if self.is_member:
            return (
                f"{self.address} is already in a cluster. Choose a fresh node. "
                "To reuse this one, remove it from its cluster or reinstall the software."
            )
        return ""

    @property
    def last_error(self) -> Explanation | None:
        """Why its last bootstrap failed: from its attempt if there is one, otherwise from the error code."""
        if not self.has_failed or self.probe.answer is None:
            return None
        if self.failed_attempt:
            return explanations.explain(self.failed_attempt)
        code = self.probe.answer.status.error_code or ""
        return explain(code, {}, request={}, node=self.address, facts=self.facts)

    @property
    def bootstrap_start_time(self) -> str:
        """When its last bootstrap began, which tells that bootstrap from the next."""
        return (self.probe.answer.status.start_time or "") if self.probe.answer else ""

    @property
    def details(self) -> list[tuple[str, str]]:
        """Labels and values for what the node reports; empty values are left out."""
        return [(label, value) for label, value in self._details() if value]

    def _details(self) -> Iterator[tuple[str, str]]:
        facts = self.facts
        yield "Software", facts.software_version or ""
        yield "System", facts.os_version or facts.os_name or ""
        yield "Cores", f"{facts.cores:g}" if facts.cores else ""
        yield "Memory", format_size(facts.total_memory)
        yield "Persistent disk", format_size(facts.persistent_storage_size)
        yield "Ephemeral disk", format_size(facts.ephemeral_storage_size)
        yield "Addresses", ", ".join(address.address for address in facts.addresses)
        yield "Uptime", format_uptime(facts.uptime) if facts.uptime is not None else ""


def summarize(probe: Probe, *, by: User | None = None) -> NodeSummary:
    """Combine a probe with its approval, its open attempt and the failed attempt that `by` may see."""
    (summary,) = summarize_all([probe])
    return replace(summary, failed_attempt=_failed_attempt(probe, by)) if by else summary


def summarize_all(probes: Sequence[Probe]) -> list[NodeSummary]:
    """Summarize several probes with two queries; their failed attempts are left out."""
    keys = {probe.endpoint.key for probe in probes}
    approvals = {
        (key, approval.fingerprint): approval
        for key, found in trust.approved_for(keys).items()
        for approval in reversed(found)  # the newest stays
    }
    attempts = Attempt.objects.filter(address__in=keys, state__in=OPEN_STATES).select_related("requested_by")
    running = {attempt.address: attempt for attempt in attempts}
    return [
        NodeSummary(
            probe,
            approvals.get((probe.endpoint.key, probe.certificate.fingerprint)),
            running.get(probe.endpoint.key),
        )
        for probe in probes
    ]


def _failed_attempt(probe: Probe, by: User) -> Attempt | None:
    """Find the attempt behind the node's last failure: the one with the same start time."""
    status = probe.answer.status if probe.answer else None
    if status is None or status.state is not NodeState.ERROR or not status.start_time:
        return None
    failed = visibility.visible_to(by).filter(address=probe.endpoint.key, accepted_start_time=status.start_time)
    return failed.filter(reason=Reason.NODE_ERROR, error_code=status.error_code or "").first()


def approval_error(summary: NodeSummary, *, shown: str, confirmed: bool) -> str:
    """Say why the node's certificate is not approved; empty when it is, or is now.

    `shown` is the fingerprint that the page showed beside the checkbox: a certificate that changed before the form was
    posted is never approved unseen.
    """
    if summary.approval:
        return ""
    current = summary.certificate.fingerprint
    if shown and shown != current:
        return (
            f"This page showed fingerprint {shown[:11]}…, but {summary.address} has {current[:11]}… now. "
            "Compare the new fingerprint before you continue."
        )
    if not confirmed or not shown:
        return f"Compare the fingerprint with the one on {summary.address}, then confirm that they match."
    return ""
