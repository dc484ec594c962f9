"""Connections that are cut, ignored or get another certificate."""

import os
import tempfile
from dataclasses import field
from pathlib import Path
from ssl import SSLContext

from setup_wizard.reference_node.certificates import make_certificate, server_context
from setup_wizard.reference_node.faults.fault import MOMENT, Fault, Moment, OnConnect, Timeline, number, one_of, part
from setup_wizard.reference_node.messages import Answer, Request, reset_connection


class ResetConnection(Fault):
    """Reset every Nth connection as soon as it is open."""

    usage = "reset-connection=N"
    kinds = ()

    every: int = field(metadata=part(number(1, 10**9)))
    connections: int = field(default=0, init=False)

    def on_connect(self) -> OnConnect:
        self.connections += 1
        chosen = self.connections % self.every == 0 and self.scope.takes_next()
        return OnConnect.RESET if chosen else OnConnect.SERVE


class Hang(Fault):
    """Accept connections and never answer: no TLS handshake with `tcp`, nothing after it with `tls`."""

    usage = "hang=tcp|tls"
    kinds = ()

    layer: str = field(metadata=part(one_of("tcp", "tls")))

    def on_connect(self) -> OnConnect:
        if not self.scope.takes_next():
            return OnConnect.SERVE
        return OnConnect.NO_TLS if self.layer == "tcp" else OnConnect.NO_ANSWER


class NewCertificate(Fault):
    """Show another certificate from a moment on, and cut older connections at their next request."""

    usage = f"new-certificate[={MOMENT}]"
    kinds = ()
    allows_count_words = False

    moment: Moment = field(metadata=part(Moment.parse))
    _addresses: list[str] = field(default_factory=list, init=False, repr=False)
    _context: SSLContext | None = field(default=None, init=False, repr=False)

    def begin(self, timeline: Timeline, /) -> None:
        self.moment.begin(timeline)
        self._addresses = timeline.addresses

    def context(self) -> SSLContext | None:
        if not self.moment.has_come():
            return None
        if self._context is None:
            self._context = _make_context(self._addresses)
        return self._context

    def intercept(self, request: Request, /) -> Answer | None:
        context = self.context()
        if context is None or request.connection.context is context:
            return None
        return Answer(None, deliver=reset_connection, fault=self.label)


def _make_context(addresses: list[str]) -> SSLContext:
    descriptor, path = tempfile.mkstemp(suffix=".pem")  # TLS reads keys from files only
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make_certificate(addresses[0], addresses))
        return server_context(Path(path))
    finally:
        Path(path).unlink()
