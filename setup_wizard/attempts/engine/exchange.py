"""One exchange with the node, returned as an observation.

`reducer/exchanges.py` says which one. A poll is one GET, and so is each question to the cluster. A submit is one
connection: certificate, baseline GET, the intent in the database, one POST. After a failure before the intent, nothing
was sent; after a failure after it, the outcome is unknown until a poll shows it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import locks, sign_ins, timing, vault
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.engine.lease import Lease, LeaseLost, check_held, commit_intent
from setup_wizard.attempts.engine.validation import validate
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import (
    Accepted,
    AnswerLost,
    ClusterFree,
    ClusterShown,
    Conflict,
    CredentialsMissing,
    Forbidden,
    MemberNamed,
    MemberRefused,
    MemberUnavailable,
    Misbehaved,
    NodeListed,
    NotSent,
    Observation,
    Redirected,
    Rejected,
    Seen,
    SignInHeld,
    SignInWanted,
    Silent,
    UnapprovedCertificate,
    Unsupported,
    answered,
)
from setup_wizard.attempts.reducer import Exchange, may_sign_in, may_submit, member_pins, next_exchange, pins
from setup_wizard.attempts.scrub import redaction_for
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials, parse_request
from setup_wizard.bootstrap.status import DOWN, find_node
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes import client
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.authentication import NodeSignIn
from setup_wizard.nodes.errors import (
    AddressForbidden,
    BootstrapInProgress,
    BootstrapRejected,
    BootstrapUnsupported,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
    NodeUntrusted,
    TooLateToSend,
)
from setup_wizard.nodes.guard import Endpoint, resolve
from setup_wizard.nodes.redaction import Redaction

NODE_ID = re.compile(r"[0-9]{1,9}")
MAX_FAILED_NODES = 64  # the page has a button for each


def exchange(lease: Lease) -> Observation:
    """Do the next exchange of the attempt, and return what was observed.

    Raises:
        LeaseLost: another process changed the attempt before the intent was written; nothing was sent.
    """
    attempt, wanted = lease.attempt, next_exchange(lease.snapshot)
    if wanted is Exchange.QUEUE:
        return _queue(lease)
    try:
        if wanted is Exchange.MEMBER:
            return _ask_member(lease)
        endpoint = locate(attempt)
        if wanted is Exchange.VALIDATE:
            return validate(lease, endpoint, _credentials(attempt), redaction_for(attempt))
        if wanted is Exchange.SUBMIT:
            return _submit(lease, endpoint)
        return _poll(lease, endpoint) if wanted is Exchange.POLL else _verify(lease, endpoint, wanted)
    except AddressForbidden as problem:
        return Forbidden(problem.message)
    except sign_ins.SignInBlocked as block:
        return SignInHeld(block.message, is_busy=block.is_busy)
    except NodeError as problem:
        return observe(problem, redaction_for(attempt))


def _queue(lease: Lease) -> Observation:
    """Take the cluster's lock while we hold the attempt; an ended attempt would never release it."""
    with transaction.atomic():
        check_held(lease)
        busy = locks.take(lease.attempt)
    reach(Point.LOCKS_COMMITTED)
    return busy or ClusterFree()


def locate(attempt: Attempt) -> Endpoint:
    """Resolve the node's name again, and refuse an address that differs from the one at Start.

    Raises:
        AddressForbidden: the address is no longer allowed, or the name now resolves to another one.
        NodeUnreachable: the name does not resolve.
    """
    at_start = Address.parse(attempt.address)
    endpoint = resolve(Address(attempt.host, at_start.port), preferred=at_start.host)
    if endpoint.key != attempt.address:
        raise AddressForbidden(
            f"{attempt.host} resolved to {attempt.address} at Start, now to {endpoint.key}. Nothing was sent there"
        )
    return endpoint


@sensitive_variables()
def observe(problem: NodeError, redaction: Redaction) -> Observation:
    """Turn an error before the POST into an observation."""
    match problem:
        case NodeUnreachable():
            return Silent(problem.phase, problem.detail)
        case NodeUnavailable():
            return Silent(f"HTTP {problem.status}", error_text=problem.body.line)
        case NodeUntrusted():
            return UnapprovedCertificate(problem.seen.masked(redaction).as_json())
        case NodeRefused():
            return SignInWanted(status=problem.status, error_text=problem.body.line)
        case NodeRedirected():
            return Redirected(problem.status, problem.location)
        case NodeMisbehaved():
            return Misbehaved(problem.detail, problem.status, problem.body.line)
    return Misbehaved(str(problem))


@contextmanager
@sensitive_variables()
def _signing_in(lease: Lease, node: client.NodeConnection, credentials: Credentials) -> Iterator[NodeSignIn]:
    """Reserve a sign-in for the requests inside the block; the engine sends credentials in no other way.

    A node that was silent is polled without credentials first, because a sign-in without an answer counts as refused.

    Raises:
        SignInBlocked: nothing may be sent.
    """
    snapshot = lease.snapshot
    if snapshot.silent_since:
        with suppress(NodeRefused):
            node.bootstrap_answer()
    account = sign_ins.Account.of(snapshot, credentials.username)
    with sign_ins.reserved(account, credentials, retry=snapshot.refused_since is not None):
        sign_in = NodeSignIn.of(credentials)
        if sign_in.has_certificate:
            node.present_certificate(sign_in)
        elif not node.is_open:
            node.reopen()
        yield sign_in
        _read_lockout(node, sign_in, account)


@sensitive_variables()
def _read_lockout(node: client.NodeConnection, sign_in: NodeSignIn, account: sign_ins.Account) -> None:
    """Read when the cluster locks an account, unless that is known."""
    if not sign_ins.needs_policy(account):
        return
    lockout = None
    with suppress(NodeError):
        if not node.is_open:
            node.reopen()
        lockout = node.lockout(sign_in)
    sign_ins.save_policy(account, lockout)


@sensitive_variables()
def _poll(lease: Lease, endpoint: Endpoint) -> Observation:
    """Poll the state of the bootstrap, with credentials once the node has asked for them."""
    credentials = _credentials(lease.attempt)
    needs_credentials = lease.snapshot.wants_sign_in and not lease.snapshot.not_ours
    if needs_credentials and credentials is None:
        return CredentialsMissing()
    signs_in, redaction = may_sign_in(lease.snapshot, clock.now()), redaction_for(lease.attempt)
    with client.connect(endpoint, pins(lease.snapshot), redaction=redaction) as node:
        fingerprint = node.certificate.fingerprint
        try:
            if signs_in and credentials:
                with _signing_in(lease, node, credentials) as sign_in:
                    answer = node.bootstrap_answer(sign_in)
            else:
                answer = node.bootstrap_answer()
        except NodeRefused as problem:
            return SignInWanted(signs_in, fingerprint, problem.status, problem.body.line)
    return Seen(answer.status, fingerprint, signed_in=signs_in, uid=answer.node.uid or "")


@sensitive_variables()
def _verify(lease: Lease, endpoint: Endpoint, wanted: Exchange) -> Observation:
    """Ask the node with credentials for its cluster's name or list of nodes."""
    credentials = _credentials(lease.attempt)
    if credentials is None:
        return CredentialsMissing()
    if not may_sign_in(lease.snapshot, clock.now()):
        return SignInHeld(is_busy=True)
    with client.connect(endpoint, pins(lease.snapshot), redaction=redaction_for(lease.attempt)) as node:
        fingerprint = node.certificate.fingerprint
        try:
            with _signing_in(lease, node, credentials) as sign_in:
                if wanted is Exchange.CLUSTER:
                    cluster = node.cluster(sign_in)
                else:
                    nodes = node.nodes(sign_in)
        except NodeRefused as problem:
            return SignInWanted(True, fingerprint, problem.status, problem.body.line)  # noqa: FBT003
    request = bootstrap_request(lease.attempt, credentials)
    if wanted is Exchange.CLUSTER:
        wants_rack_awareness = lease.snapshot.action is Action.CREATE and bool(request.policy.rack_aware)
        return ClusterShown(cluster.name, fingerprint, cluster.rack_aware, wants_rack_awareness)
    addresses = frozenset({endpoint.ip, request.node.identity.addr} - {""})
    own = find_node(nodes, lease.snapshot.node_uid, addresses)
    down = tuple(sorted(int(node.uid) for node in nodes if node.status == DOWN and NODE_ID.fullmatch(node.uid)))
    return NodeListed(own.status if own else "", fingerprint, down[:MAX_FAILED_NODES], uid=own.uid if own else "")


@sensitive_variables()
def _ask_member(lease: Lease) -> Observation:
    """Ask the approved member with credentials for the cluster's name, over its approved certificate."""
    snapshot, credentials = lease.snapshot, _credentials(lease.attempt)
    if credentials is None:
        return CredentialsMissing()
    try:
        endpoint = resolve(Address.parse(snapshot.member_address))
        with (
            client.connect(endpoint, member_pins(snapshot), redaction=redaction_for(lease.attempt)) as member,
            _signing_in(lease, member, credentials) as sign_in,
        ):
            name = member.cluster(sign_in).name
        return MemberNamed(name, (lease.attempt.request.get("cluster") or {}).get("name") or "")
    except AddressForbidden:
        return MemberUnavailable("its address is not allowed")
    except NodeRefused as problem:
        return MemberRefused(problem.status, problem.body.line)
    except NodeUntrusted:
        return MemberUnavailable("its certificate is not the approved one")
    except NodeUnavailable as problem:
        return MemberUnavailable(f"it answered {answered(problem.status, problem.body.line)}")
    except NodeError as problem:
        return MemberUnavailable(str(problem))


@sensitive_variables()
def _submit(lease: Lease, endpoint: Endpoint) -> Observation:
    """Read the baseline, commit the intent, send one POST on the same connection."""
    with client.connect(endpoint, pins(lease.snapshot), redaction=redaction_for(lease.attempt)) as node:
        credentials = _credentials(lease.attempt)
        baseline = node.bootstrap_answer().status
        if not may_submit(lease.snapshot, baseline):
            return Seen(baseline, node.certificate.fingerprint)
        if credentials is None:
            return CredentialsMissing()
        request = bootstrap_request(lease.attempt, credentials)
        if not node.is_open:
            node.reopen()
        reservation = _reserve_bootstrap(lease, credentials)
        started = monotonic()
        try:
            commit_intent(lease, baseline)
        except LeaseLost:
            if reservation:
                reservation.release()
            raise
        return _post(node, request, send_before=started + timing.SEND_WITHIN)


@sensitive_variables()
def _reserve_bootstrap(lease: Lease, credentials: Credentials) -> sign_ins.Reservation | None:
    """Count the sign-in that a joining node makes by itself; `lease.save_decision` records the outcome."""
    if lease.snapshot.action is not Action.JOIN:
        return None
    account = sign_ins.Account.of(lease.snapshot, credentials.username)
    return sign_ins.reserve(account, credentials, bootstrap_of=lease.attempt.pk)


@sensitive_variables()
def _post(node: client.NodeConnection, request: BootstrapRequest, *, send_before: float) -> Observation:
    """Send it once. From here on only an answer that cannot mean "accepted" counts as a refusal."""
    try:
        node.bootstrap(request, send_before=send_before)
    except TooLateToSend:
        return NotSent()
    except BootstrapInProgress as problem:
        return Conflict(problem.body.line)
    except (BootstrapRejected, NodeRefused) as problem:
        return Rejected(problem.status, problem.body.line)
    except BootstrapUnsupported as problem:
        return Unsupported(problem.status, problem.body.line)
    except NodeRedirected as problem:
        return Rejected(problem.status, location=problem.location)
    except (NodeUnavailable, NodeMisbehaved) as problem:
        # 5xx: a gateway may have answered although the node got the request
        return AnswerLost(type(problem).__name__, problem.status, problem.body.line)
    except NodeError as problem:
        return AnswerLost(type(problem).__name__)
    return Accepted()


def bootstrap_request(attempt: Attempt, credentials: Credentials) -> BootstrapRequest:
    """Combine the stored request with the decrypted credentials."""
    stored = parse_request(attempt.request, credentials_required=False)
    return stored.with_credentials(credentials)


def _credentials(attempt: Attempt) -> Credentials | None:
    try:
        return vault.open_for(attempt.pk)
    except vault.SecretUnavailable:
        return None
