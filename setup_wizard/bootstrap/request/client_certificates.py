"""A client certificate and its key: whether they can be read, belong together and are valid now."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from setup_wizard.bootstrap.request.models import Credentials
from setup_wizard.bootstrap.request.parsing import MISSING_MESSAGES, InvalidRequest
from setup_wizard.bootstrap.rules import RuleError, check_pem
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.text import clean

_KINDS: Final = {"client_cert": "CERTIFICATE", "client_key": "PRIVATE KEY", "trusted_ca": "CERTIFICATE"}
_FORM: Final = serialization.PublicFormat.SubjectPublicKeyInfo


def read_client_certificate(client_cert: str, client_key: Secret, trusted_ca: str, now: datetime) -> Credentials:
    """Return the credentials when they can sign in at `now`.

    Raises:
        InvalidRequest: `fields` has the messages by name, such as "client_key"; none shows anything of the key.
    """
    entered = {"client_cert": client_cert, "client_key": client_key.reveal(), "trusted_ca": trusted_ca}
    texts: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for name, text in entered.items():
        if text.strip():
            try:
                texts[name] = check_pem(text, _KINDS[name])
            except RuleError as error:
                errors[name] = [error.message]
        elif name in MISSING_MESSAGES:
            errors[name] = [MISSING_MESSAGES[name]]
    if errors:
        raise InvalidRequest(errors)
    credentials = Credentials(
        client_cert=texts["client_cert"],
        client_key=Secret(texts["client_key"]),
        trusted_ca=texts.get("trusted_ca", ""),
    )
    check_client_certificate(credentials, now)
    return credentials


def check_client_certificate(credentials: Credentials, now: datetime) -> None:
    """Check a client certificate with its key, and the certificates to check the cluster's with.

    Raises:
        InvalidRequest: as `read_client_certificate`.
    """
    errors: dict[str, list[str]] = {}
    for name, message in _errors(credentials, now):
        errors.setdefault(name, []).append(message)
    if errors:
        raise InvalidRequest(errors)


def _errors(credentials: Credentials, now: datetime) -> Iterator[tuple[str, str]]:
    own = _read_certificates(credentials.client_cert)
    if own is None:
        yield "client_cert", "This certificate cannot be read. Paste its whole PEM text, or choose its file again."
    elif message := _time_error(own[0], now):
        yield "client_cert", message
    try:
        key = serialization.load_pem_private_key(credentials.client_key.reveal().encode(), password=None)
    except TypeError:
        yield "client_key", "This key is encrypted. Decrypt it with `openssl pkey -in client.key -out plain.key` first."
    except (ValueError, UnsupportedAlgorithm):
        yield "client_key", "This key cannot be read. Paste its whole PEM text, or choose its file again."
    else:
        if own and not _belongs(key, own[0]):
            yield "client_key", f"This key does not belong to the certificate of {_name(own[0])}. Use its own key."
    if credentials.trusted_ca and _read_certificates(credentials.trusted_ca) is None:
        yield "trusted_ca", "This certificate cannot be read. Paste its whole PEM text, or choose its file again."


def _read_certificates(pem: str) -> list[x509.Certificate] | None:
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        for certificate in found:
            certificate.public_key()  # its parts are read lazily
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found


def _time_error(certificate: x509.Certificate, now: datetime) -> str:
    if now > certificate.not_valid_after_utc:
        return f"The certificate of {_name(certificate)} expired on {_time(certificate.not_valid_after_utc)}. Renew it."
    if now < certificate.not_valid_before_utc:
        begins = _time(certificate.not_valid_before_utc)
        return f"The certificate of {_name(certificate)} is not valid before {begins}. Use another, or wait."
    return ""


def _belongs(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    return _encoded(key.public_key()) == _encoded(certificate.public_key())


def _encoded(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, _FORM)


def _name(certificate: x509.Certificate) -> str:
    return clean(certificate.subject.rfc4514_string(), 100) or "no name"


def _time(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M:%S} UTC"
