"""A join by client certificate in the wizard, to a cluster that takes nothing else."""

import json
import ssl

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import State
from tests.attempts.conftest import follow
from tests.client_certificates import Authority, certified_cluster, certified_node

AUTHORITY = Authority()
ANNA, OTHER = AUTHORITY.issue("anna@example.com"), AUTHORITY.issue("other@example.com")
BY_CERTIFICATE = {"sign_in_by": "certificate", "username": "", "password": ""}

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster(tmp_path):
    with certified_cluster(tmp_path / "cluster", AUTHORITY) as node:
        yield node


@pytest.fixture
def newcomer(tmp_path):
    with certified_node(tmp_path / "newcomer", AUTHORITY, pace=0.1) as node:
        yield node


@pytest.fixture
def join(maria, newcomer, cluster):
    """Fill in the last step, with the member approved."""
    maria.to_cluster(newcomer, "join_cluster")

    def fill(**values):
        maria.fill(members=cluster.bind, port=str(cluster.port), **{**BY_CERTIFICATE, **values})
        if "fingerprints_match" in maria.page.text and maria.page.status_code == 422:
            maria.fill(**{**BY_CERTIFICATE, **values}, member_fingerprints_match="on")
        return maria

    return fill


def secret_lines(*certificates):
    texts = [text for each in certificates for text in (each.key, each.pem)]
    return [line for text in texts for line in text.splitlines() if "-----" not in line]


def stored_text():
    """Every value of every table, as one text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [repr(row) for row in cursor.fetchall()]
    return "".join(rows)


def test_a_node_joins_by_client_certificate(join, newcomer, cluster):
    maria = join(**ANNA.credentials)

    assert maria.url.endswith("/review/")
    assert "User name" not in maria.text
    assert "Key of the client certificate ••••••••" in maria.text
    in_draft = stored_text()
    assert not [line for line in secret_lines(ANNA) if line in in_draft]
    maria.start()
    attempt = follow(Attempt.objects.get())

    assert (attempt.status, attempt.username) == (State.SUCCEEDED, "")
    signed = [line for node in (cluster, newcomer) for line in node.requests() if line.get("signed_in")]
    assert {"anna@example.com"} <= {line["user"] for line in signed}
    assert not any(line["authorization"] for node in (cluster, newcomer) for line in node.requests())
    assert not SealedCredentials.objects.exists()


def test_a_client_certificate_is_never_shown_again(join):
    maria = join(**ANNA.credentials)
    review = maria.page.text
    step = maria.open(f"/setup/{maria.draft.pk}/cluster/").text
    sent = maria.fields

    maria.fill(**BY_CERTIFICATE)

    assert not [line for line in secret_lines(ANNA) if line in step]
    key = [line for line in ANNA.key.splitlines() if "-----" not in line]
    assert not [line for line in key if line in review]
    assert "Stored, entered" in step
    assert (sent["sign_in_by"], sent["client_cert"], sent["client_key"]) == ("certificate", "", "")
    assert maria.url.endswith("/review/")
    assert vault.open_for(maria.draft.pk).client_key.reveal() == ANNA.key.strip()


def test_certificate_and_key_are_read_from_files(join):
    maria = join(
        client_cert_file=SimpleUploadedFile("anna.pem", ANNA.pem.encode()),
        client_key_file=SimpleUploadedFile("anna.key", ANNA.key.encode()),
    )
    maria.fill(**BY_CERTIFICATE, member_fingerprints_match="on")

    assert maria.url.endswith("/review/")
    assert vault.open_for(maria.draft.pk).client_cert == ANNA.pem.strip()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"client_cert": ANNA.pem, "client_key": OTHER.key}, "does not belong to the certificate of CN=anna@"),
        ({"client_cert": ANNA.pem}, "Paste the key that belongs to the client certificate."),
        ({}, "Paste the client certificate that belongs to the key."),
        ({"client_cert": "CANARY", "client_key": ANNA.key}, "-----BEGIN CERTIFICATE-----"),
        ({**ANNA.credentials, "trusted_ca": AUTHORITY.pem}, "This did not issue the certificate of 127.0.0.2"),
    ],
    ids=["another key", "no key", "nothing", "no PEM", "another authority"],
)
def test_what_cannot_sign_in_is_refused_at_its_field(join, values, message):
    maria = join(**values)

    assert maria.page.status_code == 422
    assert message in maria.text
    key = [line for each in (ANNA, OTHER) for line in each.key.splitlines() if "-----" not in line]
    assert not [line for line in [*key, "CANARY"] if line in maria.page.text]


def test_a_valid_pair_is_kept_while_another_field_is_wrong(join):
    maria = join(**ANNA.credentials, trusted_ca=AUTHORITY.pem)
    assert maria.page.status_code == 422

    maria.fill(**BY_CERTIFICATE, trusted_ca="", member_fingerprints_match="on")

    assert maria.url.endswith("/review/")
    assert vault.open_for(maria.draft.pk).trusted_ca == ""


def test_the_authority_of_the_cluster_is_checked_and_sent(join, cluster, newcomer):
    shown = ssl.get_server_certificate((cluster.bind, cluster.port))

    maria = join(**ANNA.credentials, trusted_ca=shown)

    assert maria.url.endswith("/review/")
    assert vault.open_for(maria.draft.pk).trusted_ca == shown.strip()
    maria.start()
    assert follow(Attempt.objects.get()).status is State.SUCCEEDED


def test_a_password_can_replace_a_certificate(join):
    maria = join(**ANNA.credentials)
    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    maria.fill(sign_in_by="password", username="admin@example.com", password="")
    assert "Enter the administrator's password." in maria.text
    maria.fill(sign_in_by="password", username="admin@example.com", password="seven quiet otters")

    assert maria.url.endswith("/review/")
    stored = vault.open_for(maria.draft.pk)
    assert (stored.username, stored.client_cert) == ("admin@example.com", "")


def test_a_retry_starts_with_the_certificate_that_is_kept(join, maria):
    join(**ANNA.credentials)
    maria.start()
    Attempt.objects.update(state="failed")
    failed = Attempt.objects.get()

    maria.post(f"/setup/retry/{failed.pk}/")

    assert maria.url.endswith("/review/")
    maria.start()
    second = Attempt.objects.exclude(pk=failed.pk).get()
    assert vault.open_for(second.pk).client_cert == ANNA.credentials["client_cert"].strip()


def test_a_retry_asks_for_the_certificate_again(join, maria):
    join(**ANNA.credentials)
    maria.start()
    attempt = Attempt.objects.get()
    attempt.state = "failed"
    attempt.save()
    vault.discard(attempt.pk)

    maria.post(f"/setup/retry/{attempt.pk}/")
    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    assert maria.fields["sign_in_by"] == "certificate"
    assert "Enter the client certificate again." in maria.text
    assert not [line for line in secret_lines(ANNA) if line in json.dumps(maria.draft.data)]
