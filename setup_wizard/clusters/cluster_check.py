"""Ask the cluster of a run whether it is fit and which nodes it lists, or make it rack-aware."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import scrub, sign_ins
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import ListedNode, NodeProblem
from setup_wizard.clusters import timing
from setup_wizard.clusters.setups import Members
from setup_wizard.nodes import client, trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.authentication import NodeSignIn
from setup_wizard.nodes.errors import AddressForbidden, NodeError, NodeMisbehaved, NodeRefused
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import resolve

Answer = TypeVar("Answer")
_NO_SUCH_CALL = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """The cluster gave no answer; `is_final` when asking again would not help.

    `is_about_member` says that another member may answer: this one was not reached over an approved certificate.
    """

    message: str
    is_final: bool = False
    is_about_member: bool = False


def ask_fitness(members: Members, credentials: Credentials) -> tuple[NodeProblem, ...] | NotAnswered:
    """Let the cluster check its nodes; nothing when all is well, or when it has no such check."""
    found = _ask(members, credentials, _check)
    return () if isinstance(found, NotAnswered) and found.is_final else found


@sensitive_variables()
def _check(node: client.NodeConnection, sign_in: NodeSignIn) -> tuple[NodeProblem, ...]:
    try:
        return node.cluster_check(sign_in)
    except NodeRefused as refusal:
        if refusal.status != HTTPStatus.UNAUTHORIZED:
            raise
        node.nodes(sign_in)  # raises when it is the account that is refused, and not only this call
        return ()


def ask_nodes(members: Members, credentials: Credentials) -> tuple[ListedNode, ...] | NotAnswered:
    """List the nodes of the cluster."""
    return _ask(members, credentials, client.NodeConnection.nodes)


def turn_rack_aware(members: Members, credentials: Credentials) -> bool | NotAnswered | None:
    """Turn rack awareness on, and return what the cluster reports then."""
    return _ask(members, credentials, _turn_rack_aware)


@sensitive_variables()
def _turn_rack_aware(node: client.NodeConnection, sign_in: NodeSignIn) -> bool | None:
    node.turn_rack_aware(sign_in)
    return node.cluster(sign_in).rack_aware


@sensitive_variables()
def _ask(
    members: Members,
    credentials: Credentials,
    question: Callable[[client.NodeConnection, NodeSignIn], Answer],
) -> Answer | NotAnswered:
    """Ask the first member that answers; when none does, the reason is that of the first."""
    ends = time.monotonic() + timing.MEMBERS_SECONDS
    silent: NotAnswered | None = None
    for address in members.reachable:
        found = _ask_member(address, members.fingerprint, credentials, question)
        if not isinstance(found, NotAnswered) or not found.is_about_member:
            return found
        silent = silent or found
        if time.monotonic() > ends:
            break
    return silent or NotAnswered("No member of the cluster is known.")


@sensitive_variables()
def _ask_member(
    address: Address,
    cluster: str,
    credentials: Credentials,
    question: Callable[[client.NodeConnection, NodeSignIn], Answer],
) -> Answer | NotAnswered:
    """Ask one member, over its approved certificate, under the limit for refused sign-ins to `cluster`."""
    sign_in = NodeSignIn.of(credentials)
    try:
        endpoint = resolve(address)
        pins = {approval.fingerprint for approval in trust.approved(endpoint.key)}
        if not pins:
            return NotAnswered(f"The certificate of {address} is not approved.", is_about_member=True)
        account = sign_ins.Account((cluster,), credentials.username)
        with (
            client.connect(
                endpoint,
                pins,
                seconds=timing.CHECK_SECONDS,
                sign_in=sign_in,
                redaction=scrub.redaction_at(endpoint.key),
            ) as node,
            sign_ins.reserved(account, credentials),
        ):
            return question(node, sign_in)
    except sign_ins.SignInBlocked as block:
        return NotAnswered(block.message)
    except NodeRefused as refusal:
        return NotAnswered(f"The cluster refused the credentials ({refusal.status}).")
    except NodeMisbehaved as error:
        return NotAnswered(explain_failure(error, address), is_final=error.status in _NO_SUCH_CALL)
    except (NodeError, AddressForbidden) as error:
        return NotAnswered(explain_failure(error, address), is_about_member=True)
