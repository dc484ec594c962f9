"""Authentication at a cluster: user name and password, or a client certificate with its key."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile

from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.errors import NodeRefused
from setup_wizard.nodes.transport import make_context


@dataclass(frozen=True, slots=True)
class NodeSignIn:
    """The credentials of a cluster user; the client certificate (PEM) is used when there is one."""

    username: str
    password: Secret
    client_cert: str = ""
    client_key: Secret = field(default_factory=lambda: Secret(""))

    @classmethod
    def of(cls, credentials: Credentials) -> "NodeSignIn":
        """Use the credentials of a bootstrap request."""
        return cls(credentials.username, credentials.password, credentials.client_cert, credentials.client_key)

    @property
    def has_certificate(self) -> bool:
        """Whether a client certificate is used instead of the password."""
        return bool(self.client_cert and self.client_key)


@sensitive_variables()
def make_client_context(sign_in: NodeSignIn) -> ssl.SSLContext:
    """Make a TLS context with the client certificate.

    Raises:
        NodeRefused: certificate and key do not match or cannot be read, so no node would accept them.
    """
    context = make_context()
    pem = f"{sign_in.client_cert.strip()}\n{sign_in.client_key.reveal().strip()}\n".encode("utf-8", "surrogatepass")
    with _as_file(pem) as path:
        try:
            # without a password OpenSSL would prompt for one when the key is encrypted
            context.load_cert_chain(path, password=b"")
        except (ssl.SSLError, ValueError, OSError):
            raise NodeRefused from None
    return context


@contextmanager
@sensitive_variables()
def _as_file(content: bytes) -> Iterator[str]:
    """Yield a path with this content: in memory where the system supports it, otherwise a temporary private file."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
        try:
            os.write(number, content)
            yield f"/proc/self/fd/{number}"
        finally:
            os.close(number)
    else:
        with NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            yield file.name
