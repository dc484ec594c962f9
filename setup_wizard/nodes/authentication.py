"""Authentication at a cluster: user name and password, or a client certificate with its key."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_bytes
from tempfile import NamedTemporaryFile

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
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
    try:
        with _as_file(sign_in) as (path, passphrase):
            # without a passphrase OpenSSL would prompt for one when the key is encrypted
            context.load_cert_chain(path, password=passphrase)
    except (ssl.SSLError, TypeError, ValueError, UnsupportedAlgorithm):
        raise NodeRefused from None
    return context


@contextmanager
@sensitive_variables()
def _as_file(sign_in: NodeSignIn) -> Iterator[tuple[str, bytes]]:
    """Yield the path of a file with certificate and key, and its passphrase.

    OpenSSL reads certificate and key from files only. The file is in memory where the system supports it, otherwise the
    key on the disk is encrypted.
    """
    certificate, key = sign_in.client_cert.strip(), sign_in.client_key.reveal().strip()
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as file:
            file.write(f"{certificate}\n{key}\n".encode("utf-8", "surrogatepass"))
            file.flush()
            yield f"/proc/self/fd/{number}", b""
    else:
        passphrase = token_bytes(32).hex().encode()
        sealed = load_pem_private_key(key.encode("utf-8", "surrogatepass"), password=None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
        )
        with NamedTemporaryFile() as file:
            file.write(certificate.encode("utf-8", "surrogatepass") + b"\n" + sealed)
            file.flush()
            yield file.name, passphrase
