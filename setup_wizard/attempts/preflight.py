"""Every check before Start, for the review page and the API.

A check that blocks says what to change; a warning says what cannot be undone. The engine checks the node once more
right before it sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address

from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.status import NodeFacts, NodeState, same_name
from setup_wizard.nodes import trust
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.probing import MemberCertificates

NODE_FREE = "node_free"


class Level(StrEnum):
    """The result of a check."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name for programs, its message for people, and the part of the request that it is about."""

    name: str
    level: Level
    message: str
    part: str = "address"

    @property
    def blocks(self) -> bool:
        """Whether Start is refused because of it."""
        return self.level is Level.BAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be started: the node's answer, the request, and what the operator approved."""

    action: Action
    probe: Probe
    request: BootstrapRequest
    fingerprint: str
    member: Probe | None = None
    member_fingerprint: str | None = None
    member_certificates: MemberCertificates = field(
        default_factory=MemberCertificates
    )  # the other members that a join names
    accept_new_certificate: bool = False


def check(plan: Plan) -> list[Check]:
    """Run every check on `plan`; those that block come first."""
    found = [_node_state(plan), _certificate(plan), _node_free(plan), *_hidden(plan)]
    if plan.action is Action.JOIN:
        found += [*_member(plan), *_members(plan), *_stated_name(plan)]
    else:
        found.append(_new_certificate(plan))
    if plan.action is Action.RECOVER:
        found.append(_old_cluster(plan))
    found += _same_machine(plan)
    found += [Check("advice", Level.WARN, text, part) for text, part in _advice(plan)]
    order = [Level.BAD, Level.WARN, Level.GOOD]
    return sorted(found, key=lambda check: order.index(check.level))


def _node_state(plan: Plan) -> Check:
    node = plan.probe.endpoint.key
    if plan.probe.member or plan.probe.answer is None:
        return Check("node_state", Level.BAD, f"{node} is already in a cluster. Choose another node.")
    status = plan.probe.answer.status
    if status.state is NodeState.COMPLETED:
        return Check("node_state", Level.BAD, f"{node} is already in a cluster. Choose another node.")
    if not status.state.accepts_bootstrap:
        return Check(
            "node_state", Level.BAD, f"A bootstrap is in progress on {node} ({status.word}). Wait until it has ended."
        )
    if status.state is NodeState.ERROR:
        code = status.error_code or "no code"
        return Check("node_state", Level.WARN, f"The last bootstrap of {node} failed ({code}). It accepts another.")
    return Check("node_state", Level.GOOD, f"{node} is {status.word} and can be set up.")


def _certificate(plan: Plan) -> Check:
    shown = plan.probe.certificate.fingerprint
    if plan.fingerprint != shown:
        return Check(
            "certificate",
            Level.BAD,
            "The node's certificate has changed since it was compared. Compare it again.",
        )
    if not trust.is_approved(plan.probe.endpoint.key, shown):
        return Check("certificate", Level.BAD, "The node's certificate is not approved. Compare it and tick the box.")
    return Check("certificate", Level.GOOD, "The node's certificate is approved.")


def _node_free(plan: Plan) -> Check:
    if Attempt.objects.filter(address=plan.probe.endpoint.key, state__in=OPEN_STATES).exists():
        return Check(NODE_FREE, Level.BAD, "Another setup of this node is already running.")
    return Check(NODE_FREE, Level.GOOD, "No other setup of this node is running.")


def _hidden(plan: Plan) -> list[Check]:
    """Refuse a secret outside the credentials: it is not stored, so it could not be sent."""
    return [
        Check(
            "hidden_value",
            Level.BAD,
            f"A value of {part} looks like a password, a token or a key. Only the credentials are stored, so it could "
            "not be sent. Remove it.",
            part,
        )
        for part in plan.request.hidden_parts
    ]


def _new_certificate(plan: Plan) -> Check:
    if plan.accept_new_certificate:
        return Check(
            "new_certificate", Level.GOOD, "The one new certificate that the node creates during setup will be trusted."
        )
    message = "If the node creates a new certificate during setup, this setup pauses and asks you to compare it."
    return Check("new_certificate", Level.WARN, message)


def _old_cluster(plan: Plan) -> Check:
    """Warn about what a probe cannot see: the old cluster may still be running."""
    name = plan.request.cluster.name or "The lost cluster"
    message = f"{name} must not be running anywhere, or applications would find two clusters under one name."
    return Check("old_cluster", Level.WARN, message, "")


def _member(plan: Plan) -> list[Check]:
    if plan.member is None:
        return [Check("member", Level.BAD, "No member of the cluster has been checked yet.", "cluster.nodes")]
    member = plan.member.endpoint.key
    if member == plan.probe.endpoint.key:
        return [
            Check(
                "member",
                Level.BAD,
                f"{member} is the node that joins. Enter a member of the cluster.",
                "cluster.nodes",
            )
        ]
    if not plan.member.member:
        return [Check("member", Level.BAD, f"{member} is not in a cluster, so nothing can join it.", "cluster.nodes")]
    shown = plan.member.certificate.fingerprint
    if plan.member_fingerprint != shown or not trust.is_approved(member, shown):
        message = "The cluster's certificate is not approved. Compare it and tick the box."
        return [Check("member_certificate", Level.BAD, message, "cluster.nodes")]
    return [
        Check("member", Level.GOOD, f"{member} is a member of a cluster.", "cluster.nodes"),
        Check("member_certificate", Level.GOOD, "The cluster's certificate is approved.", "cluster.nodes"),
    ]


def _members(plan: Plan) -> Iterator[Check]:
    """Refuse members of different clusters: the nodes of one cluster all show its certificate."""
    if plan.member is None:
        return
    first, shown = plan.member.endpoint.key, plan.member.certificate.fingerprint
    name = trust.cluster_of(shown)
    for endpoint, certificate in plan.member_certificates.certificates.items():
        if endpoint.key == plan.probe.endpoint.key:
            message = f"{endpoint.key} is the node that joins. Enter only members of the cluster."
            yield Check("members", Level.BAD, message, "cluster.nodes")
            continue
        other = trust.cluster_of(certificate.fingerprint)
        if certificate.fingerprint == shown or (name and other and same_name(name, other)):
            continue
        message = (
            f"{_in_cluster(first, name)} and {_in_cluster(endpoint.key, other)} show different certificates, so they "
            "are not in the same cluster. Enter members of one cluster only; one is enough."
        )
        yield Check("members", Level.BAD, message, "cluster.nodes")
    for failure in plan.member_certificates.failures:
        yield Check(
            "members",
            Level.WARN,
            f"Not checked whether all members are in one cluster. {failure}",
            "cluster.nodes",
        )


def _in_cluster(node: str, name: str) -> str:
    return f"{node} (in {name})" if name else node


def _stated_name(plan: Plan) -> Iterator[Check]:
    """Refuse a join if the request states another name than the cluster's; an unknown name is checked later."""
    stated = plan.request.cluster.name
    known = trust.cluster_of(plan.member.certificate.fingerprint) if plan.member else ""
    if stated and known and plan.member and not same_name(stated, known):
        message = f"{plan.member.endpoint.key} is a member of {known}, but you entered {stated}. Correct one of them."
        yield Check("cluster_name", Level.BAD, message, "cluster.name")


def _same_machine(plan: Plan) -> list[Check]:
    """Warn about what looks like one machine under two addresses, or like a cloned image."""
    own = _own_addresses(plan.probe.answer.node) if plan.probe.answer else set()
    others = Attempt.objects.filter(state__in=OPEN_STATES).exclude(address=plan.probe.endpoint.key)
    found = []
    for address, fingerprint, facts in others.values_list("address", "fingerprint", "facts"):
        same = "the same machine under another address, or two clones of one image."
        if fingerprint == plan.fingerprint:
            found.append(Check("same_certificate", Level.WARN, f"{address} shows the same certificate: {same}"))
        elif own and own == _own_addresses(NodeFacts.from_json(facts)):
            said = ", ".join(sorted(own))
            found.append(Check("same_addresses", Level.WARN, f"{address} also reports the address {said}: {same}"))
    return found


def _own_addresses(facts: NodeFacts) -> set[str]:
    """The addresses that tell one machine from another: bridges and loopback are alike on many."""
    return {each.address for each in facts.addresses if not each.is_bridge and not _is_loopback(each.address)}


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _advice(plan: Plan) -> list[tuple[str, str]]:
    """The warnings of the field rules, each with its part of the request."""
    found = [(text, "cluster.name") for text in rules.warn_cluster_name(plan.request.cluster.name or "")]
    if addr := plan.request.node.identity.addr:
        facts = plan.probe.answer.node if plan.probe.answer else NodeFacts()
        found += [(text, "node.identity.addr") for text in rules.warn_address(addr, facts)]
    for part, addresses in (
        ("node.identity.external_addr", plan.request.node.identity.external_addr),
        ("cluster.nodes", plan.request.cluster.nodes),
    ):
        found += [(text, part) for address in addresses for text in rules.warn_link_local(address)]
    if plan.probe.answer:
        found += [(text, "") for text in rules.warn_sizing(plan.probe.answer.node)]
    return found
