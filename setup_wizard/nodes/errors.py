"""What can go wrong on the way to a node, one class for each decision.

AddressInvalid              what was typed is no address: type it again
AddressForbidden            not allowed from this server, found out before any packet: ask an administrator
NodeError
├── NodeUnreachable         nothing came back that counts, and in which phase: ask again later
├── NodeUntrusted           the certificate is not one that was approved: ask the operator
├── NodeRefused             401, 403, or a TLS alert about a client certificate: it wants a sign-in, or another one
├── BootstrapInProgress     409: somebody has already started
├── BootstrapRejected       400, 406, 413, 415, 422: the request is wrong, and in the node's words why
├── BootstrapUnsupported    404, 405: this node has no such call
├── NodeRedirected          3xx: never followed
├── NodeUnavailable         502, 503, 504 and their like: it is restarting, or something in front of it is
├── NodeMisbehaved          an answer that we cannot read
└── TooLateToSend           we were held up on our side, so nothing was sent

An exception's text is ours alone. What a node said is only in the attribute named for it, so that a traceback or a log
line does not carry it. Secrets are masked in all of it; `location` and `detail` are also capped and made visible.
"""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import h11

from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.error_body import NO_BODY, ErrorBody
from setup_wizard.nodes.limits import DETAIL_CHARACTERS

Phase = Literal["dns", "connect", "tls", "request", "answer"]


class AddressInvalid(ValueError):
    """What was typed is not the address of a node; `message` says what to type instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressForbidden(Exception):
    """This server may not talk to the address; `message` says why, and nothing was sent to it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NodeError(Exception):
    """Asking a node did not give what was asked for."""


class NodeUnreachable(NodeError):
    """Nothing came back that counts: the name, the connection, the handshake, the sending or the answer failed."""

    def __init__(self, phase: Phase, detail: str = "") -> None:
        self.phase: Phase = phase
        self.detail = _fit(detail)
        super().__init__(f"unreachable ({phase}): {self.detail}" if self.detail else f"unreachable ({phase})")

    @property
    def is_unsent(self) -> bool:
        """Tell whether it is certain that the node got nothing of the request."""
        return self.phase in {"dns", "connect", "tls"}


class NodeUntrusted(NodeError):
    """The node shows another certificate than the approved ones; no byte of HTTP was sent."""

    def __init__(self, seen: Certificate) -> None:
        super().__init__(f"the certificate is not an approved one: {seen.fingerprint}")
        self.seen = seen


class NodeRefused(NodeError):
    """The node wants a sign-in (401) or does not accept this one (401, 403)."""

    def __init__(self, status: int = 401, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node refused the sign-in ({status})")
        self.status = status
        self.body = body


class BootstrapInProgress(NodeError):
    """A bootstrap is running on the node already (409)."""

    def __init__(self, body: ErrorBody = NO_BODY) -> None:
        super().__init__("a bootstrap is already in progress (409)")
        self.body = body


class BootstrapRejected(NodeError):
    """The node will not take this request; `body` says why."""

    def __init__(self, status: int, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node rejected the request ({status})")
        self.status = status
        self.body = body


class BootstrapUnsupported(NodeError):
    """The node has no such call (404, 405): its version differs from what we know."""

    def __init__(self, status: int, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node has no such call ({status})")
        self.status = status
        self.body = body


class NodeRedirected(NodeError):
    """The answer points elsewhere; `location` is inert text and is never followed."""

    def __init__(self, status: int, location: str = "") -> None:
        super().__init__(f"the answer was a redirect ({status}), which is not followed")
        self.status = status
        self.location = _fit(location)


class NodeUnavailable(NodeError):
    """The node, or what stands in front of it, says "not now"."""

    def __init__(self, status: int, body: ErrorBody = NO_BODY) -> None:
        super().__init__(f"the node is not available ({status})")
        self.status = status
        self.body = body


class NodeMisbehaved(NodeError):
    """What answers does not speak as a node does; `detail` says in our words what was wrong.

    `status` is that of an answer whose status no node sends; 0 where something else was wrong.
    """

    def __init__(self, detail: str = "", status: int = 0, body: ErrorBody = NO_BODY) -> None:
        self.detail = _fit(detail)
        self.status = status
        self.body = body
        super().__init__(self.detail or "an answer that cannot be read")


class TooLateToSend(NodeError):
    """The time in which the request could be sent safely has passed on our side; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("the request was held up and not sent")


# handshake_failure too: the same handshake went through a moment ago without a client certificate
_REFUSED_CERTIFICATE: Final = re.compile(
    "ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_[A-Z]+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR"
    "|HANDSHAKE_FAILURE)$"
)


@contextmanager
def translated(phase: Phase, *, presents: bool = False) -> Iterator[None]:
    """Turn whatever the libraries raise inside into a NodeError of this phase.

    `presents` says that a client certificate was shown: then an alert about it is a refused sign-in, which with TLS 1.3
    comes as late as in place of the answer. The foreign exception is not chained: its text can hold what the node sent.
    """
    try:
        yield
    except NodeError:
        raise
    except OSError as error:
        if presents and refuses_certificate(error):
            raise NodeRefused from None
        raise NodeUnreachable(phase, _describe(error)) from None
    except h11.RemoteProtocolError:
        raise NodeMisbehaved("the answer is not HTTP that we can read") from None


def refuses_certificate(error: OSError) -> bool:
    """Tell whether this is the other end's alert that it does not accept the client certificate that it was shown."""
    return isinstance(error, ssl.SSLError) and bool(_REFUSED_CERTIFICATE.search(str(error.reason or "")))


def _describe(error: OSError) -> str:
    """Say what failed from codes alone: the text of a foreign exception may quote the node."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLEOFError):
        return "the answer was cut short"
    if isinstance(error, ssl.SSLError):
        return _describe_tls(error)
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if error.errno:
        return os.strerror(error.errno).lower()
    return type(error).__name__


def _describe_tls(error: ssl.SSLError) -> str:
    reason = str(error.reason or "")
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "what answers there does not speak TLS"
    return f"the TLS connection failed ({re.sub('[^A-Z0-9]+', ' ', reason).strip().lower() or 'no reason given'})"


def _fit(text: str) -> str:
    return clean(text, DETAIL_CHARACTERS)
