"""Checks of the node itself, for every action."""

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.preflight.check import Check, Source
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import Level, Result
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.status import NodeFacts, NodeState
from setup_wizard.nodes import trust
from setup_wizard.nodes.probe import Probe

if TYPE_CHECKING:
    from django.db.models import QuerySet

NODE_FREE: Final = "node_free"
_SAME = "the same machine under another address, or two clones of one image."


def probe_of(findings: Findings) -> Probe:
    """Return the answer of the node; only for checks that are not about its silence."""
    if not isinstance(findings.node, Probe):
        raise TypeError("the node did not answer")
    return findings.node


def is_approved(setup: NodeSetup, node: str, fingerprint: str) -> bool:
    """Tell whether a certificate that the setup names is approved for this node."""
    return setup.names_certificates or trust.is_approved(node, fingerprint)


def facts_of(findings: Findings) -> NodeFacts:
    """Return what the node reports about itself."""
    answer = probe_of(findings).answer
    return answer.node if answer else NodeFacts()


def _reachable(setup: NodeSetup, findings: Findings) -> Result | None:
    if not isinstance(findings.node, Probe):
        return Result(level=Level.FAILED, message=findings.node.message if findings.node else "")
    # Start needs the answer again
    return Result(level=Level.PASSED, message=f"{setup.address} answers.", data={"probe": findings.node.as_json()})


def _state(_setup: NodeSetup, findings: Findings) -> Result | None:
    probe = probe_of(findings)
    node = probe.endpoint.key
    if probe.member or probe.answer is None or probe.answer.status.state is NodeState.COMPLETED:
        return Result(level=Level.FAILED, message=f"{node} is already in a cluster. Choose another node.")
    status = probe.answer.status
    if not status.state.accepts_bootstrap:
        message = f"A bootstrap is in progress on {node} ({status.word}). Wait until it has ended."
        return Result(level=Level.FAILED, message=message)
    if status.state is NodeState.ERROR:
        code = status.error_code or "no code"
        message = f"The last bootstrap of {node} failed ({code}). The node accepts a new one."
        return Result(level=Level.WARNING, message=message)
    return Result(level=Level.PASSED, message=f"{node} is {status.word} and can be set up.")


def _certificate(setup: NodeSetup, findings: Findings) -> Result | None:
    probe = probe_of(findings)
    if setup.fingerprint != probe.certificate.fingerprint:
        message = "The node's certificate has changed since it was compared. Compare it again."
        return Result(level=Level.FAILED, message=message)
    if not is_approved(setup, probe.endpoint.key, setup.fingerprint):
        message = "The node's certificate is not approved. Compare it in step 1."
        return Result(level=Level.FAILED, message=message)
    return Result(level=Level.PASSED, message="The node's certificate is approved.")


def _was_member(_setup: NodeSetup, findings: Findings) -> Result | None:
    """Refuse a node that still has the certificate of its cluster: it was removed, but not installed again."""
    probe = probe_of(findings)
    shown = probe.certificate.fingerprint
    ours = Attempt.objects.filter(address=probe.endpoint.key, state=State.SUCCEEDED)
    left = ours.filter(Q(new_fingerprint=shown) | Q(member_fingerprint=shown)).first()
    if left is None or probe.member:
        return None
    message = (
        f"{probe.endpoint.key} still has the certificate of {left.cluster_name or 'its cluster'}, from which it was "
        "removed. A removed node has to be installed again: run `sudo /opt/redislabs/bin/rl_uninstall.sh` on it, "
        "install the software, then compare its new certificate."
    )
    return Result(level=Level.FAILED, message=message, can_override=True)


def _node_free(_setup: NodeSetup, findings: Findings) -> Result | None:
    if Attempt.objects.filter(address=probe_of(findings).endpoint.key, state__in=OPEN_STATES).exists():
        return Result(level=Level.FAILED, message="Another setup of this node is already running.")
    return Result(level=Level.PASSED, message="No other setup of this node is running.")


def _hidden_value(setup: NodeSetup, _findings: Findings) -> Result | None:
    """Refuse a secret outside the credentials: it is not stored, so it could not be sent."""
    hidden = setup.request.hidden_parts
    if not hidden:
        return None
    message = (
        f"A value of {' and of '.join(hidden)} looks like a password, a token or a key. Secrets outside the "
        "credentials are not stored, so this value would be lost before sending. Remove it."
    )
    return Result(level=Level.FAILED, message=message, part=hidden[0])


def _new_certificate(setup: NodeSetup, _findings: Findings) -> Result | None:
    if setup.accept_new_certificate:
        message = "The one new certificate that the node creates during setup will be trusted."
        return Result(level=Level.PASSED, message=message)
    message = "If the node creates a new certificate during setup, this setup pauses and asks you to compare it."
    return Result(level=Level.WARNING, message=message)


def _same_certificate(setup: NodeSetup, findings: Findings) -> Result | None:
    """Warn about what looks like one machine under two addresses, or like a cloned image."""
    others = _others(findings).filter(fingerprint=setup.fingerprint).values_list("address", flat=True)
    if not others:
        return None
    message = f"{', '.join(others)} shows the same certificate: {_SAME}"
    return Result(level=Level.WARNING, message=message)


def _same_addresses(setup: NodeSetup, findings: Findings) -> Result | None:
    own = _own_addresses(facts_of(findings))
    others = _others(findings).exclude(fingerprint=setup.fingerprint).values_list("address", "facts")
    same = [address for address, facts in others if own and own == _own_addresses(NodeFacts.from_json(facts))]
    if not same:
        return None
    message = f"{', '.join(same)} also reports the address {', '.join(sorted(own))}: {_SAME}"
    return Result(level=Level.WARNING, message=message)


def _others(findings: Findings) -> "QuerySet[Attempt]":
    return Attempt.objects.filter(state__in=OPEN_STATES).exclude(address=probe_of(findings).endpoint.key)


def _own_addresses(facts: NodeFacts) -> set[str]:
    """The addresses that tell one machine from another: bridges and loopback are alike on many."""
    return {each.address for each in facts.addresses if not each.is_bridge and not _is_loopback(each.address)}


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _external_addresses(setup: NodeSetup, _findings: Findings) -> Result | None:
    addresses = setup.request.node.identity.external_addr
    texts = [text for address in addresses for text in rules.warn_link_local(address)]
    return _advice(texts, "node.identity.external_addr")


def _password(setup: NodeSetup, _findings: Findings) -> Result | None:
    """Warn about invisible characters."""
    password = setup.credentials.password.reveal() if setup.credentials else ""
    return _advice(rules.warn_password_spelling(password), "credentials.password")


def _advice(texts: list[str], part: str) -> Result | None:
    return Result(level=Level.WARNING, message=" ".join(texts), part=part) if texts else None


_NODE = frozenset({Source.NODE})
NODE_CHECKS: Final = (
    Check(name="reachable", title="Connection", judge=_reachable, needs=_NODE, about_silence=True),
    Check(name="node_state", title="State of the node", judge=_state, needs=_NODE),
    Check(name="certificate", title="Certificate", judge=_certificate, needs=_NODE),
    Check(name="was_member", title="Earlier cluster", judge=_was_member, needs=_NODE),
    Check(name=NODE_FREE, title="Other setups", judge=_node_free, needs=_NODE),
    Check(
        name="hidden_value",
        title="Secrets outside the credentials",
        judge=_hidden_value,
        depends_on=("user_defined_modules", "witness_disk"),
    ),
    Check(
        name="new_certificate",
        title="New certificate",
        judge=_new_certificate,
        applies=lambda setup: setup.action.makes_certificate,
    ),
    Check(name="same_certificate", title="Same certificate elsewhere", judge=_same_certificate, needs=_NODE),
    Check(name="same_addresses", title="Same addresses elsewhere", judge=_same_addresses, needs=_NODE),
    Check(
        name="external_addresses",
        title="External addresses",
        judge=_external_addresses,
        depends_on=("node.identity.external_addr",),
    ),
    Check(name="password", title="Password", judge=_password, depends_on=("credentials",)),
)
