"""A client certificate with its key: messages by field when they cannot sign in."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives import serialization

from setup_wizard.bootstrap.request import InvalidRequest, read_client_certificate
from setup_wizard.bootstrap.secret import Secret
from tests.bootstrap.samples import CERTIFICATE, KEY
from tests.client_certificates import Authority

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
AUTHORITY = Authority()
ANNA, OTHER = AUTHORITY.issue("anna@example.com"), AUTHORITY.issue("other@example.com")


def encrypted(key: str) -> str:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    protection = serialization.BestAvailableEncryption(b"passphrase")
    return loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection).decode()


def test_a_certificate_with_its_key_is_read():
    read = read_client_certificate(f"\n{ANNA.pem}", Secret(ANNA.key), AUTHORITY.pem, NOW)

    assert (read.client_cert, read.client_key.reveal()) == (ANNA.pem.strip(), ANNA.key.strip())
    assert (read.trusted_ca, read.username) == (AUTHORITY.pem.strip(), "")


def test_a_chain_is_read_with_the_own_certificate_first():
    assert read_client_certificate(ANNA.pem + AUTHORITY.pem, Secret(ANNA.key), "", NOW).client_cert
    with pytest.raises(InvalidRequest) as refused:
        read_client_certificate(AUTHORITY.pem + ANNA.pem, Secret(ANNA.key), "", NOW)
    assert set(refused.value.fields) == {"client_key"}


@pytest.mark.parametrize(
    ("entered", "field", "words"),
    [
        ((ANNA.pem, OTHER.key, ""), "client_key", "does not belong to the certificate of CN=anna@example.com"),
        ((ANNA.pem, "", ""), "client_key", "Paste the key"),
        (("", ANNA.key, ""), "client_cert", "Paste the client certificate"),
        ((ANNA.key, ANNA.key, ""), "client_cert", "-----BEGIN CERTIFICATE-----"),
        ((ANNA.pem, encrypted(ANNA.key), ""), "client_key", "is encrypted"),
        ((CERTIFICATE, ANNA.key, ""), "client_cert", "cannot be read"),
        ((ANNA.pem, KEY, ""), "client_key", "cannot be read"),
        ((ANNA.pem, ANNA.key, CERTIFICATE), "trusted_ca", "cannot be read"),
        ((ANNA.pem, ANNA.key, "an authority"), "trusted_ca", "-----BEGIN CERTIFICATE-----"),
    ],
)
def test_what_cannot_sign_in_is_named_by_its_field(entered, field, words):
    client_cert, client_key, trusted_ca = entered

    with pytest.raises(InvalidRequest) as refused:
        read_client_certificate(client_cert, Secret(client_key), trusted_ca, NOW)

    assert set(refused.value.fields) == {field}
    assert words in refused.value.fields[field][0]
    lines = [line for line in (ANNA.key + OTHER.key).splitlines() if "-----" not in line]
    assert not any(line in str(refused.value.fields) for line in lines)


@pytest.mark.parametrize(("moment", "words"), [(NOW - DAY, "is not valid before"), (NOW + 2 * DAY, "expired on")])
def test_a_certificate_is_refused_outside_its_time(moment, words):
    short = AUTHORITY.issue("anna@example.com", lasts=DAY)

    with pytest.raises(InvalidRequest, match="client_cert") as refused:
        read_client_certificate(short.pem, Secret(short.key), "", moment)

    assert words in refused.value.fields["client_cert"][0]
