"""Client certificates on the page of an attempt: to go on with, and to ask a node for its cluster."""

import re

import pytest
from django.test import Client

from setup_wizard.attempts.models import Attempt, SealedCredentials, UsedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.conftest import follow, maria, start  # noqa: F401
from tests.client_certificates import Authority, certified_cluster, certified_node

AUTHORITY = Authority()
ANNA = AUTHORITY.issue("anna@example.com")
STRANGER = Authority("Somebody else").issue("anna@example.com")
CHOSEN = {"sign_in_by": "certificate"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster(tmp_path):
    with certified_cluster(tmp_path / "cluster", AUTHORITY) as node:
        yield node


@pytest.fixture
def pages(maria):  # noqa: F811
    client = Client()
    client.force_login(maria)
    return client


def key_lines(certificate):
    return [line for line in certificate.key.splitlines() if "-----" not in line]


def test_an_attempt_goes_on_with_a_client_certificate(pages, start, cluster, tmp_path):  # noqa: F811
    with certified_node(tmp_path / "newcomer", AUTHORITY, pace=0.1) as newcomer:
        attempt = follow(start(newcomer, member=cluster))
        assert attempt.why is Reason.CREDENTIALS_REFUSED
        place = f"/attempts/{attempt.pk}/"
        shown = pages.get(place).text
        answers = [
            pages.post(f"{place}credentials/", CHOSEN | {"client_cert": cert, "client_key": key})
            for cert, key in ((ANNA.pem, STRANGER.key), (ANNA.pem, ""), ("no PEM", ANNA.key))
        ]
        assert not SealedCredentials.objects.exists()

        done = pages.post(f"{place}credentials/", CHOSEN | {**ANNA.credentials}, follow=True)

        assert 'name="sign_in_by" value="certificate"' in shown
        assert [answer.status_code for answer in answers] == [422] * 3
        assert "This key does not belong to the certificate of CN=anna@example.com" in answers[0].text
        assert re.search(r'value="certificate"[^>]*checked', answers[0].text)
        seen = "".join(answer.text for answer in [*answers, done])
        assert not [line for line in [*key_lines(ANNA), *key_lines(STRANGER), "no PEM"] if line in seen]
        assert SealedCredentials.objects.get().sealed.startswith("v1:")
        assert follow(attempt).status is State.SUCCEEDED
        assert pages.get(place).status_code == 200


@pytest.mark.parametrize(
    ("certificate", "words"),
    [(ANNA, "This is node 1 of redis-prod.example.com, status active."), (STRANGER, "rejected these credentials")],
    ids=["accepted", "refused"],
)
def test_a_node_is_asked_for_its_cluster_by_client_certificate(pages, maria, cluster, certificate, words):  # noqa: F811
    seen = probe(Address.parse(cluster.address))
    trust.approve(seen.endpoint, seen.certificate, by=maria)
    attempt = add_attempt(maria, seen.endpoint.key, state=State.FAILED, reason=Reason.ALREADY_IN_CLUSTER)
    Attempt.objects.filter(pk=attempt.pk).update(fingerprint=seen.certificate.fingerprint)
    before = len(cluster.journal_lines())

    page = pages.post(f"/attempts/{attempt.pk}/cluster/", CHOSEN | certificate.credentials | {"consent": "on"})

    assert words in page.text
    assert not [line for line in key_lines(certificate) if line in page.text]
    asked = cluster.journal_lines()[before:]
    assert not any(line.get("authorization") for line in asked)
    if certificate is STRANGER:
        assert [line for line in asked if line.get("connection") == "client certificate refused"]
    else:
        assert [line["user"] for line in asked if line.get("signed_in")] == ["anna@example.com"] * 2
    assert not SealedCredentials.objects.exists()
    assert not UsedCredentials.objects.exists()
