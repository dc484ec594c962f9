"""One TLS connection to one checked IP address, and the adapter through which `requests` drives it.

The pin is compared with the certificate of the handshake before anything is written. There is no pool, no proxy, no
redirect, no cookie, no reconnect: when the connection is gone, so is everything that could be sent on it. Every wait
gets what is left of one wall clock, so a node that drips its headers cannot outlast it.

Reference: docs/failure-modes.md, D6 and N5 to N8.
"""

import io
import re
import socket
import ssl
import struct
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Final, cast

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
from setup_wizard.nodes.reader import Reader

_BLOCK: Final = 16 * 1024


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
        self._socket = _open(endpoint, clock, context or _CONTEXT)
        self._reader = Reader(self._receive)
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
        if self._is_ended or self._reader.has_more:
            return False
        try:
            self._socket.settimeout(0)
            data = self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError as error:
            data = b""
            self._is_refused = self._presents and refuses_certificate(error)
        self._reader.hold(data)
        self._is_ended = not data
        return False

    @sensitive_variables()
    def send(self, data: bytes, *, before: float | None = None) -> None:
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
        with translated("request", presents=self._presents):
            rest = memoryview(data)
            # the last thing before the first byte, so that a process that was paused anywhere above does not send
            if before is not None and time.monotonic() > before:
                raise TooLateToSend
            while rest:
                self._socket.settimeout(self.clock.left())
                rest = rest[self._socket.send(rest[:_BLOCK]) :]

    def receive(self, method: str, limit: int) -> tuple[HTTPResponse, bytes]:
        """Read one whole answer.

        Raises:
            NodeUnreachable: phase "answer": none, or not all of it, came in time.
            NodeMisbehaved: it is no HTTP, or larger than allowed.
        """
        with translated("answer", presents=self._presents):
            self._reader.expect("headers", HEAD_BYTES)
            answer = self._read_head(method)
            _check_length(answer)
            self._reader.expect("body", limit)
            body = answer.read()
        self._is_waiting = False
        if answer.will_close:
            self.close()
        return answer, body

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give `http.client` the reader that it expects of a socket."""
        assert mode == "rb"  # noqa: S101 - the one mode that http.client asks for
        return cast("io.BufferedReader", self._reader)

    def _read_head(self, method: str) -> HTTPResponse:
        while True:
            answer = HTTPResponse(cast("socket.socket", self), method=method)
            answer.begin()
            if answer.status == 101:
                raise NodeMisbehaved("the node wants to switch protocols")
            if answer.status >= 200:
                return answer
            # an interim answer; the bytes for all of them together are limited

    def _receive(self, amount: int) -> bytes:
        self._socket.settimeout(self.clock.left())
        return self._socket.recv(amount)

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


def _check_length(answer: HTTPResponse) -> None:
    """Refuse an answer whose end two readers would see in two places."""
    lengths = set(answer.headers.get_all("Content-Length") or [])
    codings = [coding.strip().lower() for coding in answer.headers.get_all("Transfer-Encoding") or []]
    if codings not in ([], ["chunked"]) or (codings and lengths):
        raise NodeMisbehaved("the answer's transfer encoding is not clear")
    if len(lengths) > 1 or not all(re.fullmatch(r"[0-9]{1,12}", length.strip()) for length in lengths):
        raise NodeMisbehaved("the answer's length is not clear")


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
        self.wire.send(_write(request, self.wire.endpoint), before=self.before)
        reach(Point.SENT_POST if must_not_be_late else Point.SENT_GET)
        answer, body = self.wire.receive(request.method or "", POST_BODY_BYTES if request.body else GET_BODY_BYTES)
        reach(Point.RECEIVED_POST if must_not_be_late else Point.RECEIVED_GET)
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers.items())
        response.request = request
        response.url = request.url or ""
        response.raw = io.BytesIO(body)  # not a urllib3 response: nothing here decompresses or keeps a cookie
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


@sensitive_variables()
def _write(request: requests.PreparedRequest, endpoint: Endpoint) -> bytes:
    """Write a prepared request as bytes; its body is bytes or nothing."""
    body = request.body or b""
    if not isinstance(body, bytes):
        raise TypeError("a request's body is bytes here")
    lines = [f"{request.method} {request.path_url} HTTP/1.1", f"Host: {endpoint.address}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
