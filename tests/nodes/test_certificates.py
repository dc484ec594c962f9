import hashlib
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.nodes.certificates import Certificate, normalise_fingerprint, parse_certificate
from tests.nodes.servers import Identity

PLAIN = "AB" * 32
PAIRS = ":".join(["AB"] * 32)


def test_certificate_shows_names_and_validity():
    identity = Identity(
        "redis-prod.example.com",
        [x509.DNSName("redis-prod.example.com"), x509.IPAddress(ip_address("10.0.0.5")), x509.RFC822Name("a@b.c")],
    )

    certificate = parse_certificate(identity.der)

    assert certificate.subject == certificate.issuer == "CN=redis-prod.example.com"
    assert certificate.fingerprint.replace(":", "").lower() == hashlib.sha256(identity.der).hexdigest()
    assert certificate.not_before < datetime.now(UTC) < certificate.not_after
    assert certificate.names == ("redis-prod.example.com", "10.0.0.5")
    assert certificate.self_signed


def test_certificate_round_trips_through_json():
    certificate = Identity("redis-prod.example.com", [x509.DNSName("redis-prod.example.com")]).certificate

    assert Certificate.from_json(certificate.as_json()) == certificate


def test_unreadable_certificate_has_a_fingerprint():
    certificate = parse_certificate(b"not a certificate")

    assert certificate == Certificate(normalise_fingerprint(hashlib.sha256(b"not a certificate").hexdigest()))
    assert Certificate.from_json(certificate.as_json()) == certificate


ORIGINAL = Identity("redis-prod.example.com", [x509.DNSName("redis-prod.example.com")]).der


@given(st.integers(0, len(ORIGINAL) - 1), st.integers(0, 255))
def test_damaged_certificate_never_raises(position, value):
    der = ORIGINAL[:position] + bytes([value]) + ORIGINAL[position + 1 :]

    certificate = parse_certificate(der)

    assert certificate.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert len(certificate.subject) <= 300


def test_control_characters_in_a_subject_are_made_visible():
    certificate = Identity("evil\x1b[2J\u202ecom").certificate

    assert "\x1b" not in certificate.subject
    assert "\u202e" not in certificate.subject
    assert "\\x1b[2J" in certificate.subject


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PAIRS,
        PAIRS.lower(),
        f"  {PLAIN.lower()}\n",
        f"SHA256 Fingerprint={PAIRS}",
        f"sha256 Fingerprint={PAIRS}",
        f"SHA-256: {PAIRS}",
        " ".join(["AB"] * 32),
    ],
)
def test_fingerprint_is_accepted_in_the_format_of_every_tool(text):
    assert normalise_fingerprint(text) == PAIRS


@pytest.mark.parametrize(
    "text", ["", "AB", PLAIN[:-1], PLAIN + "0", "G" * 64, "SHA1 Fingerprint=" + "AB:" * 20, "Ａ" * 64]
)
def test_fingerprint_rejects_anything_but_sha256(text):
    with pytest.raises(ValueError, match="64 hex digits"):
        normalise_fingerprint(text)
