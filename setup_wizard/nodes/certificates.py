"""Certificates of nodes; operators compare the fingerprint, and connections are pinned to it.

Everything else in a certificate is the node's own claim: it is shown, but never used for a decision.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.redaction import Redaction

_MAX_NAME: Final = 300
_MAX_NAMES: Final = 30
_PREFIX = re.compile(r"^sha-?256(?: fingerprint)?\s*[=:]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate: `fingerprint` is the SHA-256 of its DER as upper-case hex pairs with colons.

    The other fields are empty, and the dates None, when the certificate cannot be read.
    """

    fingerprint: str
    subject: str = ""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    self_signed: bool = False
    names: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the certificate as JSON; `from_json` reads it back."""
        return {
            "fingerprint": self.fingerprint,
            "subject": self.subject,
            "issuer": self.issuer,
            "not_before": self.not_before.isoformat() if self.not_before else None,
            "not_after": self.not_after.isoformat() if self.not_after else None,
            "self_signed": self.self_signed,
            "names": list(self.names),
        }

    def masked(self, redaction: Redaction) -> "Certificate":
        """Give the same without any secret in its names; fingerprint and dates are no words of the node's."""
        subject, issuer, *names = map(redaction.text, (self.subject, self.issuer, *self.names))
        return replace(self, subject=subject, issuer=issuer, names=tuple(names))

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Certificate":
        """Read what `as_json` returned.

        Raises:
            ValueError: a fingerprint or a date is invalid.
        """
        names = document.get("names")
        return cls(
            fingerprint=normalise_fingerprint(str(document.get("fingerprint", ""))),
            subject=str(document.get("subject", "")),
            issuer=str(document.get("issuer", "")),
            not_before=_read_time(document.get("not_before")),
            not_after=_read_time(document.get("not_after")),
            self_signed=document.get("self_signed") is True,
            names=tuple(map(str, names)) if isinstance(names, list) else (),
        )


def normalise_fingerprint(text: str) -> str:
    """Convert a SHA-256 fingerprint, as any tool prints it, to upper-case hex pairs with colons.

    Raises:
        ValueError: it is not 32 bytes in hex.
    """
    digits = _PREFIX.sub("", text.strip()).replace(":", "").replace(" ", "")
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", digits):
        raise ValueError("A SHA-256 fingerprint has 64 hex digits, with or without colons.")
    return ":".join(digits[start : start + 2] for start in range(0, 64, 2)).upper()


def parse_certificate(der: bytes) -> Certificate:
    """Read a certificate from a handshake; an unreadable one still has a fingerprint."""
    fingerprint = normalise_fingerprint(sha256(der).hexdigest())
    try:
        return _read(fingerprint, x509.load_der_x509_certificate(der))
    except Exception:  # noqa: BLE001 - its parts are parsed lazily, so anything can fail; then it is unreadable
        return Certificate(fingerprint)


def _read(fingerprint: str, certificate: x509.Certificate) -> Certificate:
    return Certificate(
        fingerprint=fingerprint,
        subject=clean(certificate.subject.rfc4514_string(), _MAX_NAME),
        issuer=clean(certificate.issuer.rfc4514_string(), _MAX_NAME),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        self_signed=_is_self_signed(certificate),
        names=tuple(_names(certificate)),
    )


def _is_self_signed(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return True


def _names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return
    for name in list(extension.value)[:_MAX_NAMES]:
        if isinstance(name, x509.DNSName | x509.IPAddress):
            yield clean(str(name.value), _MAX_NAME)


def _read_time(value: object) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
