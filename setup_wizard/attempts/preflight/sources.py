"""Ask each source of the checks; nothing is changed there.

Each function works in steps: network calls are left to `gathering`, and the rest may use the database. At the cluster
there is one sign-in for each run, under the rule for refused sign-ins.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.attempts.node_validation import ask_to_validate, save_sign_in_outcome
from setup_wizard.attempts.observations import Observation, Seen
from setup_wizard.attempts.preflight.check import Source
from setup_wizard.attempts.preflight.findings import Answering, Findings, SignInRefused, Unknown
from setup_wizard.attempts.preflight.node_checks import is_approved
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.shared import SharedAnswers
from setup_wizard.attempts.scrub import redaction_at
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials
from setup_wizard.nodes import client, probe, probing, trust
from setup_wizard.nodes.address import DEFAULT_PORT, Address, AddressInvalid
from setup_wizard.nodes.cluster_reading import ClusterReading, read_cluster
from setup_wizard.nodes.errors import AddressForbidden, NodeError, NodeRefused, NodeUnreachable
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.limits import DNS_SECONDS, VALIDATE_SECONDS
from setup_wizard.nodes.network_calls import Steps
from setup_wizard.nodes.probe import Probe
from setup_wizard.nodes.redaction import Redaction
from setup_wizard.nodes.transport import Deadline

MAX_OLD_NODES: Final = 8


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What every source needs: the setup, what is known so far, who asks, until when.

    `has_failed` tells whether a check has failed that the node's own validation would fail too. `shared` has what
    other runs ask for, too.
    """

    setup: NodeSetup
    findings: Findings
    by: User
    deadline: Deadline
    has_failed: Callable[[], bool]
    shared: SharedAnswers | None = None


def _ask_node(inquiry: Inquiry) -> Steps[Probe | Unknown]:
    return (yield from _probe(inquiry, inquiry.setup.address))


def _ask_member(inquiry: Inquiry) -> Steps[Probe | Unknown]:
    return (yield from _probe(inquiry, inquiry.setup.members[0]))


def _probe(inquiry: Inquiry, address: Address) -> Steps[Probe | Unknown]:
    try:
        return (yield from probing.probe_in_steps(address, by=inquiry.by, deadline=inquiry.deadline))
    except probing.ProbeFailed as failure:
        return Unknown(failure.message)


def _ask_members(inquiry: Inquiry) -> Steps[probing.MemberCertificates]:
    others = inquiry.setup.members[1:]
    return (yield from probing.fetch_certificates_in_steps(others, by=inquiry.by, deadline=inquiry.deadline))


@sensitive_variables()
def _ask_cluster(inquiry: Inquiry) -> Steps[ClusterReading | SignInRefused | Unknown]:
    """Sign in at the member once, over its approved certificate."""
    setup, member = inquiry.setup, inquiry.findings.member
    if not isinstance(member, Probe):
        return member or Unknown("The cluster was not asked.")
    if setup.credentials is None:
        return Unknown("The password was deleted after 15 minutes. Enter it again.")
    shown = member.certificate.fingerprint
    if not member.member or setup.member_fingerprint != shown or not is_approved(setup, member.endpoint.key, shown):
        return Unknown("No password was sent: the member is not in a cluster, or its certificate is not approved.")
    account = sign_ins.Account((shown,), setup.credentials.username)
    try:
        sent = sign_ins.reserve(account, setup.credentials)
    except sign_ins.SignInBlocked as block:
        return Unknown(block.message)
    redaction = redaction_at(member.endpoint.key)
    try:
        reading: ClusterReading = yield partial(
            _read_cluster, member.endpoint, shown, setup.credentials, redaction, inquiry.deadline
        )
    except NodeRefused as refusal:
        sent.fail(refusal)
        return SignInRefused(refusal.status, refusal.body.line)
    except NodeError as problem:
        sent.fail(problem)
        return Unknown(explain_failure(problem, member.address))
    sent.accept()
    sign_ins.save_policy(account, reading.lockout)
    return reading


@sensitive_variables()
def _read_cluster(
    endpoint: Endpoint, fingerprint: str, credentials: Credentials, redaction: Redaction, deadline: Deadline
) -> ClusterReading:
    seconds = deadline.left_to_ask()
    with client.connect(endpoint, {fingerprint}, seconds=seconds, redaction=redaction) as member:
        return read_cluster(member, credentials, reserved=nullcontext())  # reserved by the caller


def _ask_name(inquiry: Inquiry) -> Steps[Answering | Unknown]:
    """Find out who answers under the cluster's name, at the port that this node has for its API."""
    name = inquiry.setup.request.cluster.name
    return (yield from _find_answering(inquiry, [f"{name}:{inquiry.setup.address.port}"] if name else []))


def _ask_old_node(inquiry: Inquiry) -> Steps[Answering | Unknown]:
    """Find out whether the node to replace, or a node of the lost cluster, still answers."""
    request, cluster = inquiry.setup.request, inquiry.findings.cluster
    if inquiry.setup.action is Action.RECOVER:
        known = attempts_of_members().filter(cluster_name__iexact=request.cluster.name or "-")
        hosts = list(known.exclude(address=str(inquiry.setup.address)).values_list("address", flat=True))
    elif isinstance(cluster, ClusterReading):
        uid, port = str(request.node.identity.uid), cluster.cluster.cnm_https_port or DEFAULT_PORT
        hosts = [str(Address(node.addr, port)) for node in cluster.nodes or () if node.uid == uid and node.addr]
    else:
        return cluster if isinstance(cluster, Unknown) else Unknown("The cluster did not name the node's address.")
    return (yield from _find_answering(inquiry, hosts[:MAX_OLD_NODES]))


def _find_answering(inquiry: Inquiry, hosts: list[str]) -> Steps[Answering | Unknown]:
    addresses = []
    for host in hosts:
        try:
            address = Address.parse(host)
            if not trust.has_approval(address):
                probing.count_probe(inquiry.by)
        except AddressInvalid as problem:
            return Unknown(f"{host} was not asked. {problem.message}")
        except probing.TooManyProbes as refusal:
            return Unknown(refusal.message)
        addresses.append(address)
    if not addresses:
        return Answering()
    found: Answering | Unknown = yield partial(_try_all, addresses, inquiry.deadline)
    return found


def _try_all(addresses: list[Address], deadline: Deadline) -> Answering | Unknown:
    with ThreadPoolExecutor(len(addresses)) as pool:
        found = list(pool.map(partial(_try, deadline=deadline), addresses))
    if forbidden := next((each for each in found if isinstance(each, Unknown)), None):
        return forbidden
    by_kind = {
        kind: tuple(str(address) for address, each in zip(addresses, found, strict=True) if each == kind)
        for kind in ("members", "nodes", "others")
    }
    return Answering(asked=tuple(map(str, addresses)), **by_kind)


def _try(address: Address, *, deadline: Deadline) -> str | Unknown:
    """Tell who answers: the name of a field of `Answering`, "" for nobody. No text of the answer is kept."""
    started = time.monotonic()
    try:
        endpoint = probing.resolve_before(deadline, address)
        seen = probe.probe_endpoint(endpoint, deadline=deadline)
    except AddressForbidden as problem:
        return Unknown(f"{address} was not asked. {problem.message}")
    except NodeUnreachable as problem:
        now = time.monotonic()
        if now >= deadline.ends_at or (problem.phase == "dns" and now - started >= DNS_SECONDS):
            return Unknown(explain_failure(problem, address))
        return "" if problem.phase in {"dns", "connect"} else "others"
    except NodeError:
        return "others"
    return "members" if seen.member else "nodes"


@sensitive_variables()
def _ask_for_validation(inquiry: Inquiry) -> Steps[Observation | Unknown]:
    """Let the node check the request with its credentials, over its approved certificate.

    A joining node signs in at the cluster with them, so that counts as a sign-in too.
    """
    setup, node = inquiry.setup, inquiry.findings.node
    if not isinstance(node, Probe) or inquiry.has_failed():
        return Unknown("The node checks the request once the other checks have passed.")
    if setup.credentials is None:
        return Unknown("The password was deleted after 15 minutes. Enter it again.")
    sent = None
    if setup.action is Action.JOIN:
        account = sign_ins.Account((setup.member_fingerprint or "",), setup.credentials.username)
        try:
            sent = sign_ins.reserve(account, setup.credentials)
        except sign_ins.SignInBlocked as block:
            return Unknown(block.message)
    request = setup.request.with_credentials(setup.credentials)
    redaction = redaction_at(node.endpoint.key)
    try:
        seen: Observation = yield partial(
            _validate, node.endpoint, setup.fingerprint, request, redaction, inquiry.deadline
        )
    except NodeError as problem:
        if sent:
            sent.release()  # nothing was sent
        return Unknown(explain_failure(problem, node.address))
    if sent:
        save_sign_in_outcome(sent, seen)
    return seen


@sensitive_variables()
def _validate(
    endpoint: Endpoint, fingerprint: str, request: BootstrapRequest, redaction: Redaction, deadline: Deadline
) -> Observation:
    seconds = deadline.left_to_ask()
    with client.connect(endpoint, {fingerprint}, seconds=seconds, redaction=redaction) as node:
        status = node.bootstrap_answer().status  # only a node gives this answer
        if not status.state.accepts_bootstrap:
            return Seen(status, node.certificate.fingerprint)
        if not node.is_open:
            node.reopen()
        return ask_to_validate(node, request, seconds=deadline.left_to_ask(VALIDATE_SECONDS))


ASK: Final[Mapping[Source, Callable[[Inquiry], Steps[Any]]]] = {
    Source.NODE: _ask_node,
    Source.MEMBER: _ask_member,
    Source.MEMBERS: _ask_members,
    Source.CLUSTER: _ask_cluster,
    Source.NAME: _ask_name,
    Source.OLD_NODE: _ask_old_node,
    Source.VALIDATION: _ask_for_validation,
}
AFTER: Final[Mapping[Source, frozenset[Source]]] = {
    Source.CLUSTER: frozenset({Source.MEMBER}),
    Source.OLD_NODE: frozenset({Source.CLUSTER}),
    Source.VALIDATION: frozenset({Source.NODE, Source.MEMBER, Source.CLUSTER}),
}
"""What must be known, if it is asked at all, before a source is asked."""
