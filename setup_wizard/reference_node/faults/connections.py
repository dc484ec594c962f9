"""Connections that are cut, ignored or answered under another certificate."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Self

from setup_wizard.reference_node.certificates import make_certificate, server_context
from setup_wizard.reference_node.faults.fault import Fault, Greeting, read_number
from setup_wizard.reference_node.faults.moments import USAGE, Moment, Timeline
from setup_wizard.reference_node.messages import Answer, Request, reset_connection


@dataclass
class ResetConnection(Fault):
    """Reset every Nth connection as soon as it stands."""

    name = "reset-connection"
    usage = "reset-connection=N"
    kinds = ()

    every: int
    connections: int = field(default=0, init=False)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read which."""
        return cls(read_number(value, 1, 10**9))

    def greet(self) -> Greeting:
        """Count."""
        self.connections += 1
        chosen = self.connections % self.every == 0 and self.scope.takes_next()
        return Greeting.RESET if chosen else Greeting.WELCOME


@dataclass
class Hang(Fault):
    """Accept connections and say nothing on them: not even TLS with `tcp`, nothing after it with `tls`."""

    name = "hang"
    usage = "hang=tcp|tls"
    kinds = ()

    layer: str

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read from where on."""
        if value not in {"tcp", "tls"}:
            raise ValueError(value)
        return cls(value)

    def greet(self) -> Greeting:
        """Leave it alone."""
        if not self.scope.takes_next():
            return Greeting.WELCOME
        return Greeting.NO_TLS if self.layer == "tcp" else Greeting.NO_ANSWER


@dataclass
class NewCertificate(Fault):
    """Show another certificate from a moment on, and cut what began under the old one when it asks again."""

    name = "new-certificate"
    usage = f"new-certificate[={USAGE}]"
    kinds = ()
    counts = False

    moment: Moment
    _addresses: list[str] = field(default_factory=list, init=False, repr=False)
    _context: SSLContext | None = field(default=None, init=False, repr=False)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the moment."""
        return cls(Moment.parse(value))

    def begin(self, timeline: Timeline, /) -> None:
        """Let the moment come."""
        self.moment.begin(timeline)
        self._addresses = timeline.addresses

    def context(self) -> SSLContext | None:
        """The other certificate, once it is time; it is made then, and never on the node's disk for good."""
        if not self.moment.has_come():
            return None
        if self._context is None:
            self._context = _make_context(self._addresses)
        return self._context

    def intercept(self, request: Request, /) -> Answer | None:
        """Cut a connection that began before."""
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
