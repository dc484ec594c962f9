"""The certificate of a node: self-signed, EC P-256, with its key in one file, so that both change in one step."""

import ipaddress
import ssl
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LIFETIME = timedelta(days=3650)


def make_certificate(name: str, addresses: Iterable[str], host_names: Iterable[str] = ()) -> bytes:
    """Make a key and its certificate, as PEM with the key first."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    names += [x509.DNSName(host_name) for host_name in host_names]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def public_part(pem: bytes) -> str:
    """The certificate without its key, as PEM; raises ValueError."""
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM).decode()


def check_certificate(pem: bytes) -> None:
    """Raise ValueError unless this is a key and its certificate."""
    key = serialization.load_pem_private_key(pem, password=None)
    certificate = x509.load_pem_x509_certificate(pem)
    if key.public_key() != certificate.public_key():
        raise ValueError("the certificate is not for this key")


def server_context(
    path: Path, client_ca: Path | None = None, when_refused: Callable[[], None] = lambda: None
) -> ssl.SSLContext:
    """The TLS of a node; `load_cert_chain` on it changes the certificate of new connections.

    With `client_ca` a client may show a certificate; any that it did not sign gets an alert, and calls `when_refused`.
    """

    class SSLObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLCertVerificationError:
                when_refused()
                # asyncio sends what is waiting, here the alert, only when TLS needs more data
                raise ssl.SSLWantReadError from None

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # a resumed session shows no certificate, and the client would trust the old one
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.load_cert_chain(path)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client_ca)
        context.sslobject_class = SSLObject
    return context
