"""One TLS connection to one checked IP address, and the adapter through which `requests` drives it.

The pin is compared with the certificate of the handshake before anything is written. There is no pool, no proxy, no
redirect, no cookie, no reconnect: when the connection is gone, so is everything that could be sent on it. Every wait
gets what is left of one wall clock, so a node that drips its headers cannot outlast it.

Reference: docs/failure-modes.md, D6 and N5 to N8.
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
from django.views.decorators.debug import sensitive_variables
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes.certificates import Certificate, parse_certificate
from setup_wizard.nodes.errors import (
    NodeMisbehaved,
    NodeRefused,
    NodeUnreachable,
    NodeUntrusted,
    Phase,
    TooLateToSend,
    refuses_certificate,
    translated,
)
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.limits import (
    CONNECT_SECONDS,
    GET_BODY_BYTES,
    HEAD_BYTES,
    POST_BODY_BYTES,
    TLS_SECONDS,
    UNHEARD_SECONDS,
)

_BLOCK: Final = 16 * 1024
_HTTP: Final = b"HTTP/1."


def make_context() -> ssl.SSLContext:
    """Make a context that shows the handshake's certificate to us and leaves the judgement to the pin."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # nodes sign their own certificates: instead of an authority the pin decides, and there is no path without one
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


_CONTEXT: Final = make_context()
"""Shared by the process: making one costs more than a whole exchange."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One wall clock over everything that an exchange does, monotonic."""

    seconds: float
    ends_at: float

    @classmethod
    def of(cls, seconds: float) -> "Clock":
        """Start a clock that runs for `seconds`."""
        return cls(seconds, time.monotonic() + seconds)

    def left(self, most: float | None = None) -> float:
        """Give the seconds that remain, `most` at most.

        Raises:
            TimeoutError: none remain.
        """
        remaining = self.ends_at - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining if most is None else min(remaining, most)


class Wire:
    """A TLS connection to an endpoint; `certificate` is what its handshake showed.

    `pins` None is for looking at the certificate alone: such a wire refuses to send. A `context` of its own is for
    showing a client certificate.

    Raises:
        NodeUnreachable: phase "connect" or "tls".
        NodeUntrusted: the certificate is not one of the pins; nothing was sent.
        NodeRefused: the client certificate in `context` was refused in the handshake.
    """

    def __init__(
        self, endpoint: Endpoint, pins: Collection[str] | None, clock: Clock, context: ssl.SSLContext | None = None
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self._is_ended = False
        self._is_pinned = False
        self._is_waiting = True  # for the other end: whatever was written last may not have arrived
        self._presents = context is not None
        self._is_refused = False
        self._http = h11.Connection(h11.CLIENT)
        self._socket = _open(endpoint, clock, context or _CONTEXT)
        try:
            self.certificate = self._look()
            if pins is not None:
                self._compare(pins)
            reach(Point.SECURED)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection, at once and without a farewell."""
        self._is_ended = True
        if not self._is_waiting and self._socket.fileno() >= 0:
            _forget_when_closed(self._socket, forget=False)
        self._socket.close()

    def is_open(self) -> bool:
        """Tell, without waiting, whether the node has kept the connection open and said nothing unasked."""
        if self._is_ended or self._http.trailing_data[0]:
            return False
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError as error:
            self._is_refused = self._presents and refuses_certificate(error)
        self._is_ended = True  # bytes that nobody asked for end it too
        return False

    @sensitive_variables()
    def send(self, request: h11.Request, body: bytes, *, before: float | None = None) -> None:
        """Write a whole request, once.

        Raises:
            NodeUnreachable: phase "connect" when the connection is gone already and nothing was written, phase
                "request" when writing failed on the way, or when a client certificate may be why it is gone.
            NodeRefused: the other end has refused the client certificate.
            TooLateToSend: the monotonic time `before` has passed.
        """
        if not self._is_pinned:
            raise ValueError("nothing is sent on a connection without a pin")
        if not self.is_open():
            if self._is_refused:
                raise NodeRefused
            phase: Phase = "request" if self._presents else "connect"
            raise NodeUnreachable(phase, "the node closed the connection before the request")
        self._is_waiting = True
        self._http = h11.Connection(h11.CLIENT)
        data = b"".join(filter(None, map(self._http.send, (request, h11.Data(data=body), h11.EndOfMessage()))))
        with translated("request", presents=self._presents):
            rest = memoryview(data)
            # the last thing before the first byte, so that a process that was paused anywhere above does not send
            if before is not None and time.monotonic() > before:
                raise TooLateToSend
            while rest:
                self._socket.settimeout(self.clock.left())
                rest = rest[self._socket.send(rest[:_BLOCK]) :]

    def receive(self, limit: int) -> tuple[h11.Response, bytes]:
        """Read one whole answer, with a body of at most `limit` bytes.

        Raises:
            NodeUnreachable: phase "answer": none, or not all of it, came in time.
            NodeMisbehaved: it is no HTTP, or larger than allowed.
        """
        with translated("answer", presents=self._presents):
            self._taken = 0
            # the limit is for the final answer and all interim ones before it
            while not isinstance(answer := self._next_event("headers", HEAD_BYTES), h11.Response):
                pass
            _check_framing(answer)
            body = bytearray()
            self._taken = len(self._http.trailing_data[0])
            while isinstance(part := self._next_event("body", limit), h11.Data):
                body += part.data
        self._is_waiting = False
        if self._http.their_state is not h11.DONE:
            self.close()
        return answer, bytes(body)

    def _next_event(self, what: str, limit: int) -> h11.Event:
        """Give the next part of the answer, and never take in more than `limit` bytes for `what`."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                if self._is_ended:
                    raise NodeUnreachable("answer", "the answer was cut short") from None
                raise
            if not isinstance(event, type):
                return event
            if what == "headers" and not _HTTP.startswith(self._http.trailing_data[0][: len(_HTTP)]):
                raise NodeMisbehaved("what answers there does not speak HTTP")
            if self._taken >= limit:
                raise NodeMisbehaved(f"the answer has more than {limit // 1024} KiB of {what}")
            self._socket.settimeout(self.clock.left())
            data = self._socket.recv(min(_BLOCK, limit - self._taken))
            self._taken += len(data)
            self._is_ended = not data
            self._http.receive_data(data)

    def _compare(self, pins: Collection[str]) -> None:
        if self.certificate.fingerprint not in pins:
            raise NodeUntrusted(self.certificate)
        self._is_pinned = True

    def _look(self) -> Certificate:
        der = self._socket.getpeercert(binary_form=True)
        if not der:
            raise NodeUnreachable("tls", "no certificate was shown")
        return parse_certificate(der)


def _open(endpoint: Endpoint, clock: Clock, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Connect to the checked IP address; the name is only said in the handshake."""
    plain = socket.socket(socket.AF_INET6 if ":" in endpoint.ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        with translated("connect"):
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _forget_when_closed(plain)
            if sys.platform == "linux":  # for a process that stands still, and neither closes nor dies
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNHEARD_SECONDS * 1000))
            plain.settimeout(clock.left(CONNECT_SECONDS))
            reach(Point.CONNECT)
            plain.connect((endpoint.ip, endpoint.port))
            reach(Point.CONNECTED)
        with translated("tls", presents=context is not _CONTEXT):
            plain.settimeout(clock.left(TLS_SECONDS))
            # a connection cut off without TLS's own farewell must not pass for the end of a body
            return context.wrap_socket(plain, server_hostname=endpoint.address.host, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


def _forget_when_closed(own: socket.socket, *, forget: bool = True) -> None:
    """Have the system throw away what has not arrived when this end closes, or when its process dies.

    Otherwise it goes on sending for minutes what was written, and a request that counts as lost arrives after all,
    later than the quiet time that is waited for. Reference: D5, row 31.
    """
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", forget, 0))


def _check_framing(answer: h11.Response) -> None:
    """Refuse an answer whose end two readers would see in two places; h11 refuses the rest of these."""
    if {b"content-length", b"transfer-encoding"} <= {name for name, _ in answer.headers}:
        raise NodeMisbehaved("the answer has two lengths")


class OneConnection(BaseAdapter):
    """Let `requests` send on one wire, which it cannot replace, retry or pool."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire
        self.before: float | None = None

    @sensitive_variables()
    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Send the request, read the whole answer into memory, and dress it as requests does.

        What requests wants here about proxies, verification and time limits does not count: the wire has decided.
        """
        must_not_be_late = self.before is not None
        reach(Point.SEND_POST if must_not_be_late else Point.SEND_GET)
        body = request.body or b""
        if not isinstance(body, bytes):
            raise TypeError("a request's body is bytes here")
        headers = [("Host", str(self.wire.endpoint.address)), *request.headers.items()]
        head = h11.Request(method=request.method or "", target=request.path_url, headers=headers)
        self.wire.send(head, body, before=self.before)
        reach(Point.SENT_POST if must_not_be_late else Point.SENT_GET)
        answer, content = self.wire.receive(POST_BODY_BYTES if body else GET_BODY_BYTES)
        reach(Point.RECEIVED_POST if must_not_be_late else Point.RECEIVED_GET)
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = CaseInsensitiveDict(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers
        )
        response.request = request
        response.url = request.url or ""
        response.raw = io.BytesIO(content)  # not a urllib3 response: nothing here decompresses or keeps a cookie
        return response

    def close(self) -> None:
        """Close the wire with the session."""
        self.wire.close()


class Session(requests.Session):
    """A session that can reach one node over one wire and follows nothing."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no .netrc, no certificate bundle from the environment
        self.headers = CaseInsensitiveDict(
            {"User-Agent": "setup-wizard", "Accept": "application/json", "Accept-Encoding": "identity"}
        )
        self.adapters.clear()
        self.adapter = OneConnection(wire)
        self.mount(f"https://{wire.endpoint.address}/", self.adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Never find one: even a redirect that is not followed would otherwise be parsed and prepared."""
        return None
