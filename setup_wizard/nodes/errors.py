"""What can go wrong when talking to a node, one class for each decision.

AddressInvalid              not an address: enter it again
AddressForbidden            not allowed from this server, checked before any packet is sent: ask an administrator
NodeError
├── NodeUnreachable         no complete answer; `phase` says where it failed: retry later
│   └── NotAsked            the time was over before anything was sent: do not blame the node
├── NodeUntrusted           the certificate is not approved: ask the operator
├── NodeRefused             401, 403, or a TLS alert about the client certificate: credentials missing or wrong
├── NodeUnverified          the certificate does not verify against the authority that the operator named
├── BootstrapInProgress     409: a bootstrap is already running
├── BootstrapRejected       400, 406, 413, 415, 422: the request is wrong, the node says why
├── BootstrapUnsupported    404, 405: this node does not have this endpoint
├── NodeRedirected          3xx: never followed
├── NodeUnavailable         5xx and others: the node, or a proxy in front of it, is restarting
├── NodeMisbehaved          an answer that we cannot read
└── TooLateToSend           this process was delayed, so nothing was sent

The text of an exception is ours. What a node sent is only in attributes, so that tracebacks and logs do not contain it.
Secrets are masked in all of it; `location` and `detail` are also shortened and made printable.
"""

import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal

import h11

from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.error_body import NO_BODY, ErrorBody
from setup_wizard.nodes.limits import DETAIL_CHARACTERS

Phase = Literal["dns", "connect", "tls", "request", "answer"]
TLS_ALERT: Final = 0  # in place of a status code
NO_TIME_LEFT: Final = "no time left"  # before the node was asked
NO_ANSWER_IN_TIME: Final = "no answer in time"


class AddressInvalid(ValueError):
    """Not the address of a node; `message` says what to enter instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressForbidden(Exception):
    """This server may not connect to the address; `message` says why. Nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NodeError(Exception):
    """A request to a node failed."""


class NodeUnreachable(NodeError):
    """DNS, the connection, the handshake, sending or the answer failed, as `phase` says."""

    def __init__(self, phase: Phase, detail: str = "") -> None:
        self.phase: Phase = phase
        self.detail = _shorten(detail)
        super().__init__(f"unreachable ({phase}): {self.detail}" if self.detail else f"unreachable ({phase})")

    @property
    def is_unsent(self) -> bool:
        """Whether it is certain that the node received nothing of the request."""
        return self.phase in {"dns", "connect", "tls"}


class NotAsked(NodeUnreachable):
    """The time was over before the node was asked; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("connect", NO_TIME_LEFT)


class NodeUntrusted(NodeError):
    """The node's certificate is not approved; no HTTP was sent."""

    def __init__(self, seen: Certificate) -> None:
        super().__init__(f"certificate not approved: {seen.fingerprint}")
        self.seen = seen


class NodeRefused(NodeError):
    """The node requires credentials (401) or rejects these (401, 403, or a TLS alert: `status` is TLS_ALERT)."""

    def __init__(self, status: int = 401, body: ErrorBody = NO_BODY) -> None:
        how = "the client certificate was rejected" if status == TLS_ALERT else "credentials missing or rejected"
        super().__init__(f"{how} ({status or 'TLS alert'})")
        self.status = status
        self.body = body


class NodeUnverified(NodeError):
    """The node's certificate is not issued by the authority that it was checked against; `detail` says why."""

    def __init__(self, detail: str) -> None:
        self.detail = _shorten(detail)
        super().__init__(f"certificate not verified: {self.detail}")


class BootstrapInProgress(NodeError):
    """A bootstrap is already running on the node (409)."""

    def __init__(self, body: ErrorBody = NO_BODY) -> None:
        super().__init__("a bootstrap is already in progress (409)")
        self.body = body


class BootstrapRejected(NodeError):
    """The node does not accept this request; `body` says why."""

    def __init__(self, status: int, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node rejected the request ({status})")
        self.status = status
        self.body = body


class BootstrapUnsupported(NodeError):
    """The node does not have this endpoint (404, 405): it runs another version."""

    def __init__(self, status: int, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node does not have this endpoint ({status})")
        self.status = status
        self.body = body


class NodeRedirected(NodeError):
    """The answer is a redirect; `location` is only shown, never followed."""

    def __init__(self, status: int, location: str = "") -> None:
        super().__init__(f"redirect ({status}) not followed")
        self.status = status
        self.location = _shorten(location)


class NodeUnavailable(NodeError):
    """The node, or a proxy in front of it, is not available now."""

    def __init__(self, status: int, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node is not available ({status})")
        self.status = status
        self.body = body


class NodeMisbehaved(NodeError):
    """Not an answer that a node sends; `detail` says in our words what is wrong.

    `status` is an unexpected status code, or 0 when something else is wrong.
    """

    def __init__(self, detail: str = "", status: int = 0, body: ErrorBody = NO_BODY) -> None:
        self.detail = _shorten(detail)
        self.status = status
        self.body = body
        super().__init__(self.detail or "unreadable answer")


class TooLateToSend(NodeError):
    """This process was delayed beyond the time in which the request could be sent safely; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("the request was delayed and not sent")


# including handshake_failure: without a client certificate the same handshake has just succeeded
_CERTIFICATE_ALERT: Final = re.compile(
    "ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_[A-Z]+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR"
    "|HANDSHAKE_FAILURE)$"
)


@contextmanager
def translated(phase: Phase, *, has_client_certificate: bool = False) -> Iterator[None]:
    """Turn exceptions of sockets, TLS and h11 into a NodeError of this phase.

    With a client certificate, an alert about it means rejected credentials; with TLS 1.3 it can arrive in place of the
    answer. The original exception is not chained, because its text may contain what the node sent.
    """
    try:
        yield
    except NodeError:
        raise
    except OSError as error:
        if has_client_certificate and rejects_certificate(error):
            raise NodeRefused(TLS_ALERT) from None
        if isinstance(error, ssl.SSLCertVerificationError):
            raise NodeUnverified(error.verify_message) from None
        raise NodeUnreachable(phase, _describe(error, phase)) from None
    except h11.RemoteProtocolError:
        raise NodeMisbehaved("the answer is not valid HTTP") from None


def rejects_certificate(error: OSError) -> bool:
    """Tell whether this is a TLS alert that rejects our client certificate."""
    return isinstance(error, ssl.SSLError) and bool(_CERTIFICATE_ALERT.search(str(error.reason or "")))


_TIMEOUTS: Final[Mapping[Phase, str]] = {
    "connect": "connection timed out",
    "tls": "TLS handshake timed out",
    "request": "sending timed out",
}


def _describe(error: OSError, phase: Phase) -> str:
    """Describe an error by its codes only: its text may quote the node."""
    if isinstance(error, TimeoutError):
        return _TIMEOUTS.get(phase, NO_ANSWER_IN_TIME)
    if isinstance(error, ssl.SSLEOFError):
        return "TLS handshake cut short" if phase == "tls" else "the answer was cut short"
    if isinstance(error, ssl.SSLError):
        return _describe_tls(error)
    if isinstance(error, socket.gaierror):
        return "host name not found"
    if error.errno:
        return os.strerror(error.errno).lower()
    return type(error).__name__


def _describe_tls(error: ssl.SSLError) -> str:
    reason = str(error.reason or "")
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "it does not use TLS"
    return f"TLS error: {re.sub('[^A-Z0-9]+', ' ', reason).strip().lower() or 'no reason given'}"


def _shorten(text: str) -> str:
    return clean(text, DETAIL_CHARACTERS)
