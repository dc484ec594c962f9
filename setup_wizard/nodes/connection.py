"""One pinned connection to a node: open it, exchange a request for an answer, and tell what an error status means."""

import json
import logging
import time
from collections.abc import Collection
from typing import Final

import requests
from django.views.decorators.debug import sensitive_variables
from requests.auth import HTTPBasicAuth

from setup_wizard.bootstrap.request import BootstrapRequest
from setup_wizard.bootstrap.status import (
    UnreadableAnswer,
    parse_json,
)
from setup_wizard.nodes.authentication import NodeSignIn, make_client_context
from setup_wizard.nodes.certificates import Certificate, normalise_fingerprint
from setup_wizard.nodes.clock_offset import ClockOffset
from setup_wizard.nodes.error_body import NO_BODY, ErrorBody, read_error_body
from setup_wizard.nodes.errors import (
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
)
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.limits import GET_SECONDS
from setup_wizard.nodes.redaction import Redaction
from setup_wizard.nodes.transport import Deadline, Session, TLSConnection

NO_SECRETS: Final = Redaction()

log = logging.getLogger(__name__)


class PinnedConnection:
    """A connection for GETs and then one POST, to a node whose certificate is pinned.

    Secrets sent on it are masked in every answer that it returns.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        pins: Collection[str],
        *,
        seconds: float = GET_SECONDS,
        redaction: Redaction = NO_SECRETS,
    ) -> None:
        self.endpoint = endpoint
        self._pins = frozenset(map(normalise_fingerprint, pins))
        if not self._pins:
            raise ValueError("a connection to a node needs an approved fingerprint")
        self._deadline = Deadline.after(seconds)
        self._has_posted = False
        self._presented: NodeSignIn | None = None
        self.redaction = redaction
        self.clock: ClockOffset | None = None  # by the last answer with a date
        self._open()

    @property
    def certificate(self) -> Certificate:
        """The certificate of the handshake: one of the pins."""
        return self._connection.certificate

    @property
    def is_open(self) -> bool:
        """Check, without waiting, whether another request can be sent."""
        return self._connection.is_open()

    @property
    def is_late(self) -> bool:
        """Whether its time is over, so that every GET would fail."""
        return time.monotonic() >= self._deadline.ends_at

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def reopen(self) -> None:
        """Connect again, with the same pins and deadline: for a node that closes after each answer.

        Raises:
            NodeUnreachable, NodeUntrusted: as `client.connect`.
        """
        if self._has_posted:
            raise RuntimeError("a connection cannot be opened again after its POST")
        self.close()
        self._open()

    @sensitive_variables()
    def present_certificate(self, sign_in: NodeSignIn) -> None:
        """Connect again with the client certificate, now that the node's own has been checked.

        Raises:
            NodeUnreachable, NodeUntrusted: as `client.connect`.
            NodeRefused: certificate and key do not match, so no node would accept them.
        """
        if self._has_posted:
            raise RuntimeError("a connection cannot be opened again after its POST")
        self._presented = sign_in
        self.redaction = self.redaction.adding([sign_in.client_key])
        self.close()
        self._open()

    @sensitive_variables()
    def post(
        self,
        path: str,
        request: BootstrapRequest,
        *,
        seconds: float,
        is_bootstrap: bool = False,
        send_before: float | None = None,
    ) -> requests.Response:
        """Send the request, with its secrets, as the one POST of this connection; it has its own deadline.

        `is_bootstrap` is for the failpoints: a POST that only checks a request counts as a GET there.

        Raises:
            TooLateToSend: `send_before`, a `time.monotonic()`, has passed; nothing was sent.
            NodeUnreachable: no answer; with `is_unsent` when nothing was sent.
        """
        if self._has_posted:
            raise RuntimeError("a connection can send one POST only")
        self._has_posted = True
        self.redaction = self.redaction.adding(request.secrets)
        body = json.dumps(request.payload(), allow_nan=False).encode()
        self._connection.deadline = Deadline.after(seconds)
        self._session.adapter.is_bootstrap = is_bootstrap
        self._session.adapter.send_before = send_before
        return self.exchange("POST", path, body=body)

    def common_error(self, response: requests.Response) -> NodeError | None:
        """Return the error for the status codes that mean the same for every call."""
        status = response.status_code
        if status in {401, 403}:
            return NodeRefused(status, self.error_body(response))
        if 300 <= status < 400:
            return NodeRedirected(status, self.redaction.text(response.headers.get("Location", "")))
        if 500 <= status < 600:
            return NodeUnavailable(status, self.error_body(response))
        return None

    def unexpected(self, response: requests.Response, what: str) -> NodeMisbehaved:
        status = response.status_code
        return NodeMisbehaved(f"unexpected status {status} for {what}", status, self.error_body(response))

    @sensitive_variables()
    def error_body(self, response: requests.Response) -> ErrorBody:
        try:
            body = read_error_body(read_body(response))
        except NodeMisbehaved:
            return NO_BODY
        return body.masked(self.redaction)

    @sensitive_variables()
    def exchange(
        self, method: str, path: str, *, body: bytes | None = None, sign_in: NodeSignIn | None = None
    ) -> requests.Response:
        started, sent = time.monotonic(), time.time()
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
            if clock := ClockOffset.read(response.headers.get("Date", ""), sent=sent, received=time.time()):
                self.clock = clock
        except NodeError as error:
            outcome = type(error).__name__
            raise
        finally:
            log.debug("%s %s at %s: %s in %.3f s", method, path, self.endpoint.key, outcome, time.monotonic() - started)
        return response

    def _open(self) -> None:
        context = make_client_context(self._presented) if self._presented else None
        self._connection = TLSConnection(self.endpoint, self._pins, self._deadline, context)
        self._session = Session(self._connection)


@sensitive_variables()
def _basic(sign_in: NodeSignIn) -> HTTPBasicAuth:
    # requests would encode text as latin-1; a lone surrogate makes a wrong password, not an exception
    return HTTPBasicAuth(
        sign_in.username.encode("utf-8", "surrogatepass"), sign_in.password.reveal().encode("utf-8", "surrogatepass")
    )


def read_body(response: requests.Response) -> bytes:
    """Return the body of an answer; raises NodeMisbehaved when it is compressed, which was not asked for."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        raise NodeMisbehaved("the answer is compressed")
    return response.content


def check_accepted(response: requests.Response) -> None:
    """Make sure that a 2xx comes from the node: its body is empty or JSON, not the page of a proxy."""
    body = read_body(response)
    if not body.strip():
        return
    try:
        parse_json(body)
    except UnreadableAnswer:
        raise NodeMisbehaved(f"status {response.status_code} with a body that is not JSON") from None
