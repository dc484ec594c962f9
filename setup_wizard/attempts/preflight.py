"""Every check before Start, for the review page and for whoever else starts an attempt. One function, one list.

A check that blocks says what to change; a warning says what cannot be undone later. The engine looks once more right
before it sends, so a node that changes in between is still caught.
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
    """How much a check weighs."""

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
    """What shall be started: what the node said, what is to be sent, and what the operator approved."""

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
        return Check("node_state", Level.BAD, f"{node} is in a cluster already. Choose a node that is not.")
    status = plan.probe.answer.status
    if status.state is NodeState.COMPLETED:
        return Check("node_state", Level.BAD, f"{node} is in a cluster already. Choose a node that is not.")
    if not status.state.accepts_bootstrap:
        return Check(
            "node_state", Level.BAD, f"A bootstrap is in progress on {node} ({status.word}). Wait until it has ended."
        )
    if status.state is NodeState.ERROR:
        code = status.error_code or "no code"
        return Check("node_state", Level.WARN, f"The last bootstrap of {node} failed ({code}). It accepts another.")
    return Check("node_state", Level.GOOD, f"{node} is {status.word} and accepts a bootstrap.")


def _certificate(plan: Plan) -> Check:
    shown = plan.probe.certificate.fingerprint
    if plan.fingerprint != shown:
        return Check(
            "certificate",
            Level.BAD,
            "The node shows another certificate than the one that was compared. Compare it again.",
        )
    if not trust.is_approved(plan.probe.endpoint.key, shown):
        return Check(
            "certificate", Level.BAD, "The node's certificate has not been approved. Compare it and tick the box."
        )
    return Check("certificate", Level.GOOD, "The node's certificate is approved.")


def _node_free(plan: Plan) -> Check:
    if Attempt.objects.filter(address=plan.probe.endpoint.key, state__in=OPEN_STATES).exists():
        return Check(NODE_FREE, Level.BAD, "A setup of this node is running already.")
    return Check(NODE_FREE, Level.GOOD, "No other setup of this node is running.")


def _hidden(plan: Plan) -> list[Check]:
    """Refuse what could not be sent: only the sign-in is kept sealed, and other secrets are not kept at all."""
    return [
        Check(
            "hidden_value",
            Level.BAD,
            f"A value of {part} looks like a password, a token or a key. A setup keeps no secret but the sign-in, "
            "so it could not be sent. Take it out.",
            part,
        )
        for part in plan.request.hidden_parts
    ]


def _new_certificate(plan: Plan) -> Check:
    if plan.accept_new_certificate:
        return Check(
            "new_certificate", Level.GOOD, "The one certificate that the node makes during the bootstrap is accepted."
        )
    message = (
        "If the node makes a new certificate during the bootstrap, this setup will stop and ask you to compare it."
    )
    return Check("new_certificate", Level.WARN, message)


def _old_cluster(plan: Plan) -> Check:
    """Warn of what no probe can see from here: a cluster that is not lost."""
    name = plan.request.cluster.name or "The lost cluster"
    message = f"{name} must not be running anywhere: applications would find two clusters under one name."
    return Check("old_cluster", Level.WARN, message, "")


def _member(plan: Plan) -> list[Check]:
    if plan.member is None:
        return [Check("member", Level.BAD, "No member of the cluster has been asked yet.", "cluster.nodes")]
    member = plan.member.endpoint.key
    if member == plan.probe.endpoint.key:
        return [
            Check(
                "member",
                Level.BAD,
                f"{member} is the node that is to join. Name a member of the cluster.",
                "cluster.nodes",
            )
        ]
    if not plan.member.member:
        return [Check("member", Level.BAD, f"{member} is not in a cluster, so nothing can join it.", "cluster.nodes")]
    shown = plan.member.certificate.fingerprint
    if plan.member_fingerprint != shown or not trust.is_approved(member, shown):
        message = "The cluster's certificate has not been approved. Compare it and tick the box."
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
            message = f"{endpoint.key} is the node that is to join. Name members of the cluster only."
            yield Check("members", Level.BAD, message, "cluster.nodes")
            continue
        other = trust.cluster_of(certificate.fingerprint)
        if certificate.fingerprint == shown or (name and other and same_name(name, other)):
            continue
        message = (
            f"{_in_cluster(first, name)} and {_in_cluster(endpoint.key, other)} show different certificates, so they "
            "are not in the same cluster. Name members of one cluster only; one is enough."
        )
        yield Check("members", Level.BAD, message, "cluster.nodes")
    for failure in plan.member_certificates.failures:
        yield Check("members", Level.WARN, f"Not checked whether it is in the same cluster. {failure}", "cluster.nodes")


def _in_cluster(node: str, name: str) -> str:
    return f"{node} (in {name})" if name else node


def _stated_name(plan: Plan) -> Iterator[Check]:
    """Refuse a join whose cluster is known by another name than the request states; else the engine asks for it."""
    stated = plan.request.cluster.name
    known = trust.cluster_of(plan.member.certificate.fingerprint) if plan.member else ""
    if stated and known and plan.member and not same_name(stated, known):
        message = f"{plan.member.endpoint.key} is a member of {known}, and this join names {stated}. Correct either."
        yield Check("cluster_name", Level.BAD, message, "cluster.name")


def _same_machine(plan: Plan) -> list[Check]:
    """Warn of what looks like one machine reached two ways, or like a cloned image. Reference: row 6."""
    own = _own_addresses(plan.probe.answer.node) if plan.probe.answer else set()
    others = Attempt.objects.filter(state__in=OPEN_STATES).exclude(address=plan.probe.endpoint.key)
    found = []
    for address, fingerprint, facts in others.values_list("address", "fingerprint", "facts"):
        same = "the same machine by another name, or two clones of one image."
        if fingerprint == plan.fingerprint:
            found.append(Check("same_certificate", Level.WARN, f"{address} shows the same certificate: {same}"))
        elif own and own == _own_addresses(NodeFacts.from_json(facts)):
            said = ", ".join(sorted(own))
            found.append(Check("same_addresses", Level.WARN, f"{address} says that it has {said} as well: {same}"))
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
    """What the field rules warn of, each with the part of the request it is about."""
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
