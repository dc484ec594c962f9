"""Talk to one node's bootstrap API over a connection whose certificate was approved.

Reference: docs/failure-modes.md, D2, D4, D6.
"""

import json
import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import requests
from django.views.decorators.debug import sensitive_variables
from requests.auth import HTTPBasicAuth

from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import (
    BootstrapAnswer,
    BootstrapStatus,
    ListedNode,
    Lockout,
    UnreadableAnswer,
    parse_answer,
    parse_cluster_name,
    parse_json,
    parse_lockout,
    parse_nodes,
    parse_status,
)
from setup_wizard.nodes.certificates import Certificate, normalise_fingerprint
from setup_wizard.nodes.error_body import NO_BODY, ErrorBody, read_error_body
from setup_wizard.nodes.errors import (
    BootstrapInProgress,
    BootstrapRejected,
    BootstrapUnsupported,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
)
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.limits import GET_SECONDS, POST_SECONDS, VALIDATE_SECONDS
from setup_wizard.nodes.redaction import Redaction
from setup_wizard.nodes.signing import SignIn, make_client_context
from setup_wizard.nodes.transport import Clock, Session, Wire

STATUS_PATH: Final = "/v1/bootstrap"
CLUSTER_PATH: Final = "/v1/cluster"
NODES_PATH: Final = "/v1/nodes"
POLICY_PATH: Final = "/v1/cluster/policy"

NOTHING_KNOWN: Final = Redaction()

Parsed = TypeVar("Parsed")

log = logging.getLogger(__name__)


@contextmanager
def connect(
    endpoint: Endpoint,
    pins: Collection[str],
    *,
    seconds: float = GET_SECONDS,
    sign_in: SignIn | None = None,
    redaction: Redaction = NOTHING_KNOWN,
) -> Iterator["Connection"]:
    """Open a connection to a node whose certificate is one of `pins`, and close it afterwards.

    `seconds` is the wall clock from connecting to the last byte of the last GET; the POST has its own. `sign_in` counts
    here when it is a client certificate, which belongs to the handshake. `redaction` is what to keep out of the
    answers, beside the secrets that are sent on this connection.

    Raises:
        ValueError: there is no pin, or one is no SHA-256 fingerprint.
        NodeUnreachable: phase "connect" or "tls".
        NodeUntrusted: the node shows another certificate; no byte of HTTP was sent.
    """
    connection = Connection(endpoint, pins, seconds=seconds, redaction=redaction)
    try:
        if sign_in is not None and sign_in.has_certificate:
            connection.present(sign_in)
        yield connection
    finally:
        connection.close()


class Connection:
    """A pinned connection: GETs, then one POST, of a bootstrap or of a check. Made by `connect`.

    No answer leaves it before the secrets that it sent are masked in it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        pins: Collection[str],
        *,
        seconds: float = GET_SECONDS,
        redaction: Redaction = NOTHING_KNOWN,
    ) -> None:
        self.endpoint = endpoint
        self._pins = frozenset(map(normalise_fingerprint, pins))
        if not self._pins:
            raise ValueError("a connection to a node needs an approved fingerprint")
        self._clock = Clock.of(seconds)
        self._has_posted = False
        self._presented: SignIn | None = None
        self._redaction = redaction
        self._open()

    @property
    def certificate(self) -> Certificate:
        """The certificate of the handshake: one of the pins."""
        return self._wire.certificate

    @property
    def is_open(self) -> bool:
        """Tell, without waiting, whether the node keeps the connection open for another exchange."""
        return self._wire.is_open()

    def close(self) -> None:
        """Drop the connection."""
        self._session.close()

    def reopen(self) -> None:
        """Connect again, with the same pins and within the same wall clock: for a node that closes after each answer.

        Raises:
            NodeUnreachable, NodeUntrusted: as `connect`.
        """
        if self._has_posted:
            raise RuntimeError("a connection is for one POST")
        self.close()
        self._open()

    @sensitive_variables()
    def present(self, sign_in: SignIn) -> None:
        """Connect again and show the client certificate in the handshake, now that the node's own has been checked.

        Raises:
            NodeUnreachable, NodeUntrusted: as `connect`.
            NodeRefused: certificate and key do not fit together, so that no node would take them.
        """
        if self._has_posted:
            raise RuntimeError("a connection is for one POST")
        self._presented = sign_in
        self._redaction = self._redaction.knowing([sign_in.client_key])
        self.close()
        self._open()

    @sensitive_variables()
    def status(self, sign_in: SignIn | None = None) -> BootstrapAnswer:
        """Ask how the node's bootstrap stands: `GET /v1/bootstrap`.

        Raises:
            NodeRefused: 401 or 403.
            NodeRedirected, NodeUnavailable, NodeUnreachable: no answer of the node's.
            NodeMisbehaved: what answers is not a node, or not in its right mind.
        """
        return self._read(STATUS_PATH, sign_in, parse_answer)

    @sensitive_variables()
    def cluster_name(self, sign_in: SignIn) -> str:
        """Ask a member for its cluster's name: `GET /v1/cluster`. Raises as `status`."""
        return self._read(CLUSTER_PATH, sign_in, parse_cluster_name)

    @sensitive_variables()
    def nodes(self, sign_in: SignIn) -> tuple[ListedNode, ...]:
        """Ask a member which nodes its cluster has: `GET /v1/nodes`. Raises as `status`."""
        return self._read(NODES_PATH, sign_in, parse_nodes)

    @sensitive_variables()
    def lockout(self, sign_in: SignIn) -> Lockout:
        """Ask a member when its cluster locks an account: `GET /v1/cluster/policy`. Raises as `status`."""
        return self._read(POLICY_PATH, sign_in, parse_lockout)

    @sensitive_variables()
    def bootstrap(
        self, request: BootstrapRequest, *, seconds: float = POST_SECONDS, send_before: float | None = None
    ) -> None:
        """Send the request, exactly once; that it returns means that the node took it.

        `seconds` is its own wall clock. `send_before` is a `time.monotonic()` after which nothing is sent any more.

        Raises:
            TooLateToSend, NodeUnreachable with `is_unsent`: the node got nothing.
            BootstrapInProgress, BootstrapRejected, BootstrapUnsupported, NodeRefused, NodeRedirected: it said no.
            NodeUnreachable, NodeUnavailable, NodeMisbehaved: it may have taken it or not.
        """
        if self._has_posted:
            raise RuntimeError("a connection is for one POST")
        self._has_posted = True
        self._redaction = self._redaction.knowing(_secrets_of(request))
        body = json.dumps(request.payload(), allow_nan=False).encode()
        self._wire.clock = Clock.of(seconds)
        self._session.adapter.before = send_before
        response = self._exchange("POST", request.action.path, body=body)
        if 200 <= response.status_code < 300:
            _check_accepted(response)
            return
        if response.status_code == 409:
            raise BootstrapInProgress(self._error_body(response))
        if response.status_code in {400, 406, 413, 415, 422}:
            raise BootstrapRejected(response.status_code, self._error_body(response))
        if response.status_code in {404, 405}:
            raise BootstrapUnsupported(response.status_code, self._error_body(response))
        # 408 and 429 among them: whether the node has seen the request is not certain
        raise self._refusal(response) or self._strange(response, "the request")

    @sensitive_variables()
    def validate(self, request: BootstrapRequest, *, seconds: float = VALIDATE_SECONDS) -> BootstrapStatus | None:
        """Have the request checked by a node that can: its error status, or None when it finds nothing wrong.

        The node begins nothing. The request goes out with its secrets, so this counts as the connection's one POST.

        Raises:
            NodeError: there is no verdict: the node has no such call, or does not answer as one that has.
        """
        if self._has_posted:
            raise RuntimeError("a connection is for one POST")
        self._has_posted = True
        self._redaction = self._redaction.knowing(_secrets_of(request))
        body = json.dumps(request.payload(), allow_nan=False).encode()
        self._wire.clock = Clock.of(seconds)
        response = self._exchange("POST", request.action.check_path, body=body)
        if 200 <= response.status_code < 300:
            _check_accepted(response)
            return None
        if response.status_code == 406:
            return self._read_verdict(response)
        if response.status_code in {404, 405}:
            raise BootstrapUnsupported(response.status_code, self._error_body(response))
        raise self._refusal(response) or self._strange(response, "the check")

    def _open(self) -> None:
        context = make_client_context(self._presented) if self._presented else None
        self._wire = Wire(self.endpoint, self._pins, self._clock, context)
        self._session = Session(self._wire)

    @sensitive_variables()
    def _read(self, path: str, sign_in: SignIn | None, parse: Callable[[object], Parsed]) -> Parsed:
        if sign_in:
            self._redaction = self._redaction.knowing([sign_in.password, sign_in.client_key])
        response = self._exchange("GET", path, sign_in=sign_in)
        if response.status_code == 200:
            try:
                return parse(self._redaction.document(parse_json(_read_body(response))))
            except UnreadableAnswer as error:
                raise NodeMisbehaved(error.reason) from None
        # valid calls can get 406 for a moment right after a bootstrap
        if response.status_code in {406, 408, 425, 429}:
            raise NodeUnavailable(response.status_code, self._error_body(response))
        raise self._refusal(response) or self._strange(response, path)

    def _read_verdict(self, response: requests.Response) -> BootstrapStatus:
        """Read what the node has against a request; nodes that are busy also answer 406, and name no error then."""
        try:
            status = parse_status(self._redaction.document(parse_json(_read_body(response))))
        except UnreadableAnswer:
            raise NodeUnavailable(response.status_code, self._error_body(response)) from None
        if not status.error_code:
            raise NodeUnavailable(response.status_code, self._error_body(response))
        return status

    def _refusal(self, response: requests.Response) -> NodeError | None:
        """Read the status codes that mean the same for every call."""
        status = response.status_code
        if status in {401, 403}:
            return NodeRefused(status, self._error_body(response))
        if 300 <= status < 400:
            return NodeRedirected(status, self._redaction.text(response.headers.get("Location", "")))
        if 500 <= status < 600:
            return NodeUnavailable(status, self._error_body(response))
        return None

    def _strange(self, response: requests.Response, asked: str) -> NodeMisbehaved:
        """A status that no node sends for this call."""
        status = response.status_code
        return NodeMisbehaved(f"{asked} was answered with {status}", status, self._error_body(response))

    @sensitive_variables()
    def _error_body(self, response: requests.Response) -> ErrorBody:
        try:
            body = read_error_body(_read_body(response))
        except NodeMisbehaved:
            return NO_BODY
        return body.masked(self._redaction)

    @sensitive_variables()
    def _exchange(
        self, method: str, path: str, *, body: bytes | None = None, sign_in: SignIn | None = None
    ) -> requests.Response:
        started = time.monotonic()
        outcome = "failed"
        try:
            response = self._session.request(
                method,
                f"https://{self.endpoint.address}{path}",
                data=body,
                headers={"Content-Type": "application/json"} if body else None,
                auth=_basic(sign_in) if sign_in and not sign_in.has_certificate else None,
                allow_redirects=False,
            )
            outcome = str(response.status_code)
        except NodeError as error:
            outcome = type(error).__name__
            raise
        finally:
            log.debug("%s %s at %s: %s in %.3f s", method, path, self.endpoint.key, outcome, time.monotonic() - started)
        return response


@sensitive_variables()
def _basic(sign_in: SignIn) -> HTTPBasicAuth:
    # bytes, because requests would encode text as latin-1; a lone surrogate is a wrong password, not an error of ours
    return HTTPBasicAuth(
        sign_in.username.encode("utf-8", "surrogatepass"), sign_in.password.reveal().encode("utf-8", "surrogatepass")
    )


def _read_body(response: requests.Response) -> bytes:
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        raise NodeMisbehaved("the answer is compressed, which was not asked for")
    return response.content


def _check_accepted(response: requests.Response) -> None:
    """Make sure that a 2xx is the node's own: its body is empty or JSON, never a page of something in between."""
    body = _read_body(response)
    if not body.strip():
        return
    try:
        parse_json(body)
    except UnreadableAnswer:
        raise NodeMisbehaved(
            f"the request was answered with {response.status_code} and a body that is no JSON"
        ) from None


@sensitive_variables()
def _secrets_of(request: BootstrapRequest) -> list[Secret]:
    credentials = request.credentials
    return [Secret(request.license), *([credentials.password, credentials.client_key] if credentials else [])]
