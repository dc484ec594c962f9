"""Call the API of one node over a connection whose certificate was approved."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import requests
from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.status import (
    BootstrapAnswer,
    BootstrapStatus,
    ClusterFacts,
    LicenseFacts,
    ListedNode,
    Lockout,
    MemberState,
    Module,
    NodeProblem,
    RunningAction,
    UnreadableAnswer,
    parse_actions,
    parse_answer,
    parse_cluster,
    parse_cluster_check,
    parse_json,
    parse_license,
    parse_lockout,
    parse_member_states,
    parse_modules,
    parse_nodes,
    parse_status,
)
from setup_wizard.nodes.authentication import NodeSignIn
from setup_wizard.nodes.connection import NO_SECRETS, PinnedConnection, check_accepted, read_body
from setup_wizard.nodes.errors import (
    BootstrapInProgress,
    BootstrapRejected,
    BootstrapUnsupported,
    NodeMisbehaved,
    NodeRefused,
    NodeUnavailable,
)
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.limits import GET_SECONDS, POST_SECONDS, VALIDATE_SECONDS
from setup_wizard.nodes.redaction import Redaction

STATUS_PATH: Final = "/v1/bootstrap"
CLUSTER_PATH: Final = "/v1/cluster"
CLUSTER_CHECK_PATH: Final = "/v1/cluster/check"
NODES_PATH: Final = "/v1/nodes"
MEMBER_STATES_PATH: Final = "/v1/nodes/status"
POLICY_PATH: Final = "/v1/cluster/policy"
ACTIONS_PATH: Final = "/v1/actions"
LICENSE_PATH: Final = "/v1/license"
MODULES_PATH: Final = "/v1/modules"
OCSP_PATH: Final = "/v1/ocsp"


Parsed = TypeVar("Parsed")


@contextmanager
def connect(
    endpoint: Endpoint,
    pins: Collection[str],
    *,
    seconds: float = GET_SECONDS,
    sign_in: NodeSignIn | None = None,
    redaction: Redaction = NO_SECRETS,
) -> Iterator["NodeConnection"]:
    """Open a connection to a node whose certificate is one of `pins`, and close it afterwards.

    `seconds` is the time from connecting to the last byte of the last GET; the POST has its own. `sign_in` matters here
    when it is a client certificate, which is part of the handshake. `redaction` holds secrets to mask in the answers,
    besides those sent on this connection.

    Raises:
        ValueError: there is no pin, or one is not a SHA-256 fingerprint.
        NodeUnreachable: phase "connect" or "tls".
        NodeUntrusted: the certificate is not pinned; no HTTP was sent.
    """
    connection = NodeConnection(endpoint, pins, seconds=seconds, redaction=redaction)
    try:
        if sign_in is not None and sign_in.has_certificate:
            connection.present_certificate(sign_in)
        yield connection
    finally:
        connection.close()


class NodeConnection(PinnedConnection):
    """The calls of a node's API: GETs, and then one POST (a bootstrap or a check). Made by `connect`."""

    @sensitive_variables()
    def bootstrap_answer(self, sign_in: NodeSignIn | None = None) -> BootstrapAnswer:
        """Get the status of the node's bootstrap: `GET /v1/bootstrap`.

        Raises:
            NodeRefused: 401 or 403.
            NodeRedirected, NodeUnavailable, NodeUnreachable: no answer from the node.
            NodeMisbehaved: not an answer that a node sends.
        """
        return self._read(STATUS_PATH, sign_in, parse_answer)

    @sensitive_variables()
    def cluster(self, sign_in: NodeSignIn) -> ClusterFacts:
        """Get the name and the settings of a member's cluster: `GET /v1/cluster`. Raises as `bootstrap_answer`."""
        return self._read(CLUSTER_PATH, sign_in, parse_cluster)

    @sensitive_variables()
    def nodes(self, sign_in: NodeSignIn) -> tuple[ListedNode, ...]:
        """List the nodes of a member's cluster: `GET /v1/nodes`. Raises as `bootstrap_answer`."""
        return self._read(NODES_PATH, sign_in, parse_nodes)

    @sensitive_variables()
    def lockout(self, sign_in: NodeSignIn) -> Lockout:
        """Get the lockout policy of a member's cluster: `GET /v1/cluster/policy`. Raises as `bootstrap_answer`."""
        return self._read(POLICY_PATH, sign_in, parse_lockout)

    @sensitive_variables()
    def turn_rack_aware(self, sign_in: NodeSignIn) -> None:
        """Make a member's cluster rack-aware for good: `PUT /v1/cluster/policy`. Raises as `bootstrap_answer`."""
        self.redaction = self.redaction.adding([sign_in.password, sign_in.client_key])
        response = self.exchange("PUT", POLICY_PATH, body=b'{"rack_aware": true}', sign_in=sign_in)
        if not 200 <= response.status_code < 300:
            raise self.common_error(response) or self.unexpected(response, "rack awareness")
        check_accepted(response)

    @sensitive_variables()
    def member_states(self, sign_in: NodeSignIn) -> tuple[MemberState, ...]:
        """Get role and maintenance of a cluster's nodes: `GET /v1/nodes/status`. Raises as `bootstrap_answer`."""
        return self._read(MEMBER_STATES_PATH, sign_in, parse_member_states)

    @sensitive_variables()
    def running_actions(self, sign_in: NodeSignIn) -> tuple[RunningAction, ...]:
        """List what a cluster is doing: `GET /v1/actions`. Raises as `bootstrap_answer`."""
        return self._read(ACTIONS_PATH, sign_in, parse_actions)

    @sensitive_variables()
    def license(self, sign_in: NodeSignIn) -> LicenseFacts:
        """Get the terms of a cluster's license: `GET /v1/license`. Raises as `bootstrap_answer`."""
        return self._read(LICENSE_PATH, sign_in, parse_license)

    @sensitive_variables()
    def modules(self, sign_in: NodeSignIn) -> tuple[Module, ...]:
        """List a cluster's modules: `GET /v1/modules`. Raises as `bootstrap_answer`."""
        return self._read(MODULES_PATH, sign_in, parse_modules)

    @sensitive_variables()
    def cluster_check(self, sign_in: NodeSignIn) -> tuple[NodeProblem, ...]:
        """Let a cluster check its nodes: `GET /v1/cluster/check`; nothing when all is well.

        Raises as `bootstrap_answer`.
        """
        return self._read(CLUSTER_CHECK_PATH, sign_in, parse_cluster_check)

    @sensitive_variables()
    def is_administrator(self, sign_in: NodeSignIn) -> bool:
        """Tell whether the account is an administrator, by a call for administrators alone: `GET /v1/ocsp`.

        Raises as `bootstrap_answer`, but 403 is an answer here.

        Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/permissions/
        """
        try:
            return self._read(OCSP_PATH, sign_in, lambda _: True)
        except NodeRefused as refusal:
            if refusal.status != 403:
                raise
            return False

    @sensitive_variables()
    def bootstrap(
        self, request: BootstrapRequest, *, seconds: float = POST_SECONDS, send_before: float | None = None
    ) -> None:
        """Send the request, exactly once; returns when the node has accepted it.

        It has its own deadline, in `seconds`. After `send_before`, a `time.monotonic()`, it is not sent.

        Raises:
            TooLateToSend, NodeUnreachable with `is_unsent`: nothing was sent.
            BootstrapInProgress, BootstrapRejected, BootstrapUnsupported, NodeRefused, NodeRedirected: not accepted.
            NodeUnreachable, NodeUnavailable, NodeMisbehaved: whether the node accepted it is unknown.
        """
        response = self.post(request.action.path, request, seconds=seconds, is_bootstrap=True, send_before=send_before)
        if 200 <= response.status_code < 300:
            check_accepted(response)
            return
        if response.status_code == 409:
            raise BootstrapInProgress(self.error_body(response))
        if response.status_code in {400, 406, 413, 415, 422}:
            raise BootstrapRejected(response.status_code, self.error_body(response))
        if response.status_code in {404, 405}:
            raise BootstrapUnsupported(response.status_code, self.error_body(response))
        # including 408 and 429: whether the node has seen the request is unknown
        raise self.common_error(response) or self.unexpected(response, "the request")

    @sensitive_variables()
    def validate(self, request: BootstrapRequest, *, seconds: float = VALIDATE_SECONDS) -> BootstrapStatus | None:
        """Let the node check the request: returns its error status, or None when the request is valid.

        Nothing is started. The request contains its secrets, so this counts as the connection's one POST.

        Raises:
            NodeError: there is no result: the node does not have this endpoint, or gave no usable answer.
        """
        response = self.post(request.action.check_path, request, seconds=seconds)
        if 200 <= response.status_code < 300:
            check_accepted(response)
            return None
        if response.status_code == 406:
            return self._read_check(response)
        if response.status_code in {404, 405}:
            raise BootstrapUnsupported(response.status_code, self.error_body(response))
        raise self.common_error(response) or self.unexpected(response, "the check")

    @sensitive_variables()
    def _read(self, path: str, sign_in: NodeSignIn | None, parse: Callable[[object], Parsed]) -> Parsed:
        if sign_in:
            self.redaction = self.redaction.adding([sign_in.password, sign_in.client_key])
        response = self.exchange("GET", path, sign_in=sign_in)
        if response.status_code == 200:
            try:
                return parse(self.redaction.document(parse_json(read_body(response))))
            except UnreadableAnswer as error:
                raise NodeMisbehaved(error.reason) from None
        # right after a bootstrap, valid calls can get 406 for a moment
        if response.status_code in {406, 408, 425, 429}:
            raise NodeUnavailable(response.status_code, self.error_body(response))
        raise self.common_error(response) or self.unexpected(response, path)

    def _read_check(self, response: requests.Response) -> BootstrapStatus:
        """Read the error of a check; a busy node also answers 406, but without an error code."""
        try:
            status = parse_status(self.redaction.document(parse_json(read_body(response))))
        except UnreadableAnswer:
            raise NodeUnavailable(response.status_code, self.error_body(response)) from None
        if not status.error_code:
            raise NodeUnavailable(response.status_code, self.error_body(response))
        return status
