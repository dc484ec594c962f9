"""With what we sign in at a cluster: a user name and a password, or a client certificate and its key."""

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
class SignIn:
    """A user of the cluster: for Basic sign-in, or by certificate (PEM) where there is one."""

    username: str
    password: Secret
    client_cert: str = ""
    client_key: Secret = field(default_factory=lambda: Secret(""))

    @classmethod
    def of(cls, credentials: Credentials) -> "SignIn":
        """Take the same that the bootstrap was sent with."""
        return cls(credentials.username, credentials.password, credentials.client_cert, credentials.client_key)

    @property
    def has_certificate(self) -> bool:
        """Whether the sign-in happens in the handshake."""
        return bool(self.client_cert and self.client_key)


@sensitive_variables()
def make_client_context(sign_in: SignIn) -> ssl.SSLContext:
    """Make a context that shows the client certificate to whoever asks for one in a handshake.

    Raises:
        NodeRefused: the certificate and the key do not fit together or cannot be read: nobody would accept them.
    """
    context = make_context()
    pem = f"{sign_in.client_cert.strip()}\n{sign_in.client_key.reveal().strip()}\n".encode("utf-8", "surrogatepass")
    with _as_file(pem) as path:
        try:
            # an encrypted key must not make OpenSSL ask at a terminal
            context.load_cert_chain(path, password=b"")
        except (ssl.SSLError, ValueError, OSError):
            raise NodeRefused from None
    return context


@contextmanager
@sensitive_variables()
def _as_file(content: bytes) -> Iterator[str]:
    """Give a path to read the content from: in memory where the system has that, else a private file, deleted again."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("sign-in", os.MFD_CLOEXEC)
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
