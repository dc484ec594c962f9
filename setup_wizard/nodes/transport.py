"""One TLS connection to one checked IP address, and the adapter that lets `requests` use it.

The certificate of the handshake is compared with the pins before anything is written. There is no pool, proxy,
redirect, cookie or reconnect: nothing is ever sent twice. Each read and write gets the time left until one deadline, so
a node that sends byte by byte cannot exceed it.
"""

import io
import socket
import ssl
import struct
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import h11
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.views.decorators.debug import sensitive_variables
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes.certificates import Certificate, parse_certificate
from setup_wizard.nodes.errors import (
    TLS_ALERT,
    NodeMisbehaved,
    NodeRefused,
    NodeUnreachable,
    NodeUntrusted,
    NotAsked,
    Phase,
    TooLateToSend,
    rejects_certificate,
    translated,
)
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.limits import (
    CONNECT_SECONDS,
    GET_BODY_BYTES,
    HEAD_BYTES,
    POST_BODY_BYTES,
    TLS_SECONDS,
    UNACKNOWLEDGED_SECONDS,
)

_BLOCK: Final = 16 * 1024
_HTTP: Final = b"HTTP/1."


def make_context() -> ssl.SSLContext:
    """Make a TLS context without a certificate authority: the pins decide instead."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # node certificates are self-signed; every connection that sends anything checks a pin
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def make_verifying_context(trusted_ca: str) -> ssl.SSLContext:
    """Make a TLS context for nodes whose certificate is in `trusted_ca` (PEM), or was issued by one in it.

    Raises:
        ValueError: there is no certificate in it.
    """
    context = make_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an intermediate authority is enough
    found = x509.load_pem_x509_certificates(trusted_ca.encode())
    context.load_verify_locations(cadata=b"".join(each.public_bytes(Encoding.DER) for each in found))
    return context


_CONTEXT: Final = make_context()
"""Shared by the process, because making one takes longer than a whole exchange."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment, on the monotonic clock, at which everything on a connection must be done."""

    ends_at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Set a deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def left(self, most: float | None = None) -> float:
        """Return the seconds left, at most `most`.

        Raises:
            TimeoutError: none remain.
        """
        remaining = self.ends_at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining if most is None else min(remaining, most)

    def left_to_ask(self, most: float | None = None) -> float:
        """Return the seconds left for a node that has not been asked yet, at most `most`.

        Raises:
            NotAsked: none remain.
        """
        try:
            return self.left(most)
        except TimeoutError:
            raise NotAsked from None


class TLSConnection:
    """A TLS connection to an endpoint; `certificate` is the one from its handshake.

    With `pins` None the connection only shows the certificate and refuses to send. Pass a `context` to use a client
    certificate or to verify the node's. For a server that is not a node, `verified_by` takes the place of pins: the
    context verifies certificate and host name in the handshake.

    Raises:
        NodeUnreachable: phase "connect" or "tls".
        NodeUntrusted: the certificate is not pinned; nothing was sent.
        NodeRefused: the node rejected the client certificate in the handshake.
        NodeUnverified: the certificate does not verify.
        ValueError: `verified_by` does not verify the name.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        pins: Collection[str] | None,
        deadline: Deadline,
        context: ssl.SSLContext | None = None,
        *,
        verified_by: ssl.SSLContext | None = None,
    ) -> None:
        if verified_by and not verified_by.check_hostname:  # which Python allows only with verification
            raise ValueError("a connection without pins needs a context that verifies the name")
        self.endpoint = endpoint
        self.deadline = deadline
        self._is_closed = False
        self._may_send = verified_by is not None
        # true until an answer has arrived in full: bytes of the handshake or of a request may still be on their way
        self._is_waiting = True
        self._has_client_certificate = context is not None
        self._is_rejected = False
        self._bytes_read = 0  # of the answer that is being read
        self._http = h11.Connection(h11.CLIENT)
        self._socket = _open(
            endpoint,
            deadline,
            context or verified_by or _CONTEXT,
            has_client_certificate=self._has_client_certificate,
        )
        try:
            self.certificate = self._read_certificate()
            if pins is not None:
                self._check_pin(pins)
            reach(Point.SECURED)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection at once, without a TLS close message."""
        self._is_closed = True
        if not self._is_waiting and self._socket.fileno() >= 0:
            _set_reset_on_close(self._socket, on=False)
        self._socket.close()

    def is_open(self) -> bool:
        """Tell, without waiting, whether the node keeps the connection open and has sent nothing unexpected.

        Otherwise the connection counts as closed from then on. A byte is read to find out.
        """
        if self._is_closed or self._http.trailing_data[0]:
            return False
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError as error:
            self._is_rejected = self._has_client_certificate and rejects_certificate(error)
        self._is_closed = True  # also after unexpected bytes
        return False

    @sensitive_variables()
    def send(self, request: h11.Request, body: bytes, *, send_before: float | None = None) -> None:
        """Write a whole request, once.

        Raises:
            NodeUnreachable: phase "connect" when the connection was closed before anything was written, phase
                "request" when writing failed, or when a client certificate may be the reason for the close.
            NodeRefused: the node rejected the client certificate.
            TooLateToSend: the monotonic time `send_before` has passed.
        """
        if not self._may_send:
            raise ValueError("a connection without a pin cannot send")
        if not self.is_open():
            if self._is_rejected:
                raise NodeRefused(TLS_ALERT)
            phase: Phase = "request" if self._has_client_certificate else "connect"
            raise NodeUnreachable(phase, "the node closed the connection before the request")
        self._is_waiting = True
        self._http = h11.Connection(h11.CLIENT)
        data = b"".join(filter(None, map(self._http.send, (request, h11.Data(data=body), h11.EndOfMessage()))))
        with translated("request", has_client_certificate=self._has_client_certificate):
            rest = memoryview(data)
            # checked right before the first byte, in case this process was paused anywhere above
            if send_before is not None and time.monotonic() > send_before:
                raise TooLateToSend
            while rest:
                self._socket.settimeout(self.deadline.left())
                rest = rest[self._socket.send(rest[:_BLOCK]) :]

    def receive(self, limit: int) -> tuple[h11.Response, bytes]:
        """Read one whole answer, with a body of at most `limit` bytes.

        Raises:
            NodeUnreachable: phase "answer": it did not arrive in full and in time.
            NodeMisbehaved: it is not HTTP, or larger than allowed.
        """
        with translated("answer", has_client_certificate=self._has_client_certificate):
            self._bytes_read = 0
            # the limit covers interim (1xx) answers too
            while not isinstance(answer := self._next_event("headers", HEAD_BYTES), h11.Response):
                pass
            _check_framing(answer)
            body = bytearray()
            self._bytes_read = len(self._http.trailing_data[0])
            while isinstance(part := self._next_event("body", limit), h11.Data):
                body += part.data
        self._is_waiting = False
        if self._http.their_state is not h11.DONE:
            self.close()
        return answer, bytes(body)

    def _next_event(self, what: str, limit: int) -> h11.Event:
        """Return the next part of the answer; read at most `limit` bytes for `what`."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                if self._is_closed:
                    raise NodeUnreachable("answer", "the answer was cut short") from None
                raise
            if not isinstance(event, type):
                return event
            if what == "headers" and not _HTTP.startswith(self._http.trailing_data[0][: len(_HTTP)]):
                raise NodeMisbehaved("it does not use HTTP")
            if self._bytes_read >= limit:
                raise NodeMisbehaved(f"the answer has more than {limit // 1024} KiB of {what}")
            self._socket.settimeout(self.deadline.left())
            data = self._socket.recv(min(_BLOCK, limit - self._bytes_read))
            self._bytes_read += len(data)
            self._is_closed = not data
            self._http.receive_data(data)

    def _check_pin(self, pins: Collection[str]) -> None:
        if self.certificate.fingerprint not in pins:
            raise NodeUntrusted(self.certificate)
        self._may_send = True

    def _read_certificate(self) -> Certificate:
        der = self._socket.getpeercert(binary_form=True)
        if not der:
            raise NodeUnreachable("tls", "no certificate received")
        return parse_certificate(der)


def _open(
    endpoint: Endpoint, deadline: Deadline, context: ssl.SSLContext, *, has_client_certificate: bool
) -> ssl.SSLSocket:
    """Connect to the checked IP address; the host name is for SNI, and for a context that verifies it."""
    plain = socket.socket(socket.AF_INET6 if ":" in endpoint.ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        with translated("connect"):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _set_reset_on_close(plain, on=True)
            # the kernel gives up on unacknowledged data, even while this process is suspended
            if sys.platform == "linux":
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNACKNOWLEDGED_SECONDS * 1000))
            plain.settimeout(deadline.left(CONNECT_SECONDS))
            reach(Point.CONNECT)
            plain.connect((endpoint.ip, endpoint.port))
            reach(Point.CONNECTED)
        with translated("tls", has_client_certificate=has_client_certificate):
            plain.settimeout(deadline.left(TLS_SECONDS))
            # a connection closed without a TLS close message must not count as the end of a body
            return context.wrap_socket(plain, server_hostname=endpoint.address.host, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


def _set_reset_on_close(connection: socket.socket, *, on: bool) -> None:
    """Choose whether unsent data is discarded when the connection is closed or its process dies.

    If it is not, the system retransmits for minutes, and a request that is considered lost could arrive after it was
    sent again.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", on, 0))


def _check_framing(answer: h11.Response) -> None:
    """Reject a combination that h11 tolerates: proxies may disagree about where such an answer ends."""
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in answer.headers}:
        raise NodeMisbehaved("the answer has two lengths")


class SingleConnectionAdapter(BaseAdapter):
    """Let `requests` send on one connection, without pool, retry or reconnect."""

    def __init__(self, connection: TLSConnection) -> None:
        super().__init__()
        self.connection = connection
        self.is_bootstrap = False  # for the failpoints: a POST that only checks a request counts as a GET
        self.send_before: float | None = None

    @sensitive_variables()
    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Send the request and read the whole answer into memory.

        The arguments of requests for proxies, verification and timeouts are ignored: the connection has its own.
        """
        reach(Point.SEND_POST if self.is_bootstrap else Point.SEND_GET)
        body = request.body or b""
        if not isinstance(body, bytes):
            raise TypeError("the body of a request must be bytes")
        headers = [("Host", str(self.connection.endpoint.address)), *request.headers.items()]
        head = h11.Request(method=request.method or "", target=request.path_url, headers=headers)
        self.connection.send(head, body, send_before=self.send_before)
        reach(Point.SENT_POST if self.is_bootstrap else Point.SENT_GET)
        answer, content = self.connection.receive(POST_BODY_BYTES if body else GET_BODY_BYTES)
        reach(Point.RECEIVED_POST if self.is_bootstrap else Point.RECEIVED_GET)
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = CaseInsensitiveDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers
        )
        response.request = request
        response.url = request.url or ""
        response.raw = io.BytesIO(content)  # not a urllib3 response, so nothing is decompressed and no cookie is kept
        return response

    def close(self) -> None:
        """Close the connection together with the session."""
        self.connection.close()


class Session(requests.Session):
    """A session for one node over one connection; it follows no redirects."""

    def __init__(self, connection: TLSConnection) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no .netrc, no certificate bundle from the environment
        self.headers = CaseInsensitiveDict(
            {"User-Agent": "setup-wizard", "Accept": "application/json", "Accept-Encoding": "identity"}
        )
        self.adapters.clear()
        self.adapter = SingleConnectionAdapter(connection)
        self.mount(f"https://{connection.endpoint.address}/", self.adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Find none: requests would parse the target of a redirect even when it does not follow it."""
        return None
