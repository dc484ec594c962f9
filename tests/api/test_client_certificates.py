"""Joins that sign in by client certificate, at clusters that take nothing else, and their refusals."""

import ssl

import pytest
from django.db import connection

from setup_wizard.attempts.models import Attempt, SealedCredentials, SentSignIn, SignInOutcome, UsedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from tests.api.conftest import assert_problem, creating, joining
from tests.attempts.conftest import follow, start  # noqa: F401
from tests.bootstrap.samples import CERTIFICATE
from tests.client_certificates import Authority, certified_cluster, certified_node

AUTHORITY = Authority()
ANNA = AUTHORITY.issue("anna@example.com")
ALERT = "client certificate refused"
STRANGER = Authority("Somebody else").issue("anna@example.com")


@pytest.fixture
def cluster(tmp_path):
    """A cluster that takes client certificates only."""
    with certified_cluster(tmp_path / "cluster", AUTHORITY) as node:
        yield node


@pytest.fixture
def newcomer(tmp_path):
    """A fresh node that will take client certificates only, too."""
    with certified_node(tmp_path / "newcomer", AUTHORITY, pace=0.1) as node:
        yield node


@pytest.fixture
def sign_ins(cluster):
    """The lines of the member's journal from now on, without what members tell each other."""
    before = len(cluster.journal_lines())
    return lambda: [
        line for line in cluster.journal_lines()[before:] if not str(line.get("path")).startswith("/_cluster/exchange")
    ]


def join(node, member, credentials, **changes):
    document = joining(node, member)
    document["bootstrap"]["credentials"] = credentials
    return document | changes


def credentials(certificate, **more):
    return Credentials(client_cert=certificate.pem, client_key=Secret(certificate.key), **more)


def explanation(api, attempt):
    return api.get(f"/attempts/{attempt.pk}").json()["explanation"]


def database():
    """Every value of every table, as one text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            yield from (repr(row) for row in cursor.fetchall())


def key_lines(certificate):
    return [line for line in certificate.key.splitlines() if "-----" not in line]


def test_a_join_by_client_certificate_is_watched_and_proved(api, cluster, newcomer, sign_ins):
    answer = api.post("/attempts", join(newcomer, cluster, ANNA.credentials))
    sealed = "\n".join(database())
    attempt = follow(Attempt.objects.get())

    assert (answer.status_code, attempt.status) == (201, State.SUCCEEDED)
    users = {line.get("user") for line in sign_ins() if line.get("signed_in")}
    assert users == {"anna@example.com"}
    watched = [line for line in newcomer.requests() if line["user"] == "anna@example.com"]
    assert {line["path"] for line in watched} >= {"/v1/bootstrap", "/v1/cluster", "/v1/nodes"}
    assert not [line for line in [*sign_ins(), *newcomer.requests()] if line.get("authorization")]
    assert not SealedCredentials.objects.exists()
    kept = f"{sealed}{list(database())}{api.received}"
    assert not [line for line in key_lines(ANNA) if line in kept]


def test_a_certificate_refused_by_a_tls_alert_is_not_started(api, cluster, newcomer, sign_ins):
    answer = api.post("/attempts", join(newcomer, cluster, STRANGER.credentials))

    assert_problem(answer, 422, "preflight_failed", "bootstrap.credentials.client_cert")
    message = " ".join(answer.json()["fields"]["bootstrap.credentials.client_cert"])
    assert "by a TLS alert: it does not trust its issuer, or it has expired" in message
    assert [line["connection"] for line in sign_ins() if line.get("connection") == ALERT] == [ALERT]
    assert SentSignIn.objects.get().outcome == SignInOutcome.REFUSED
    assert not Attempt.objects.exists()


def test_a_certificate_refused_by_401_is_not_started(api, member, fresh_node):
    before = len(member.requests())

    answer = api.post("/attempts", join(fresh_node, member, ANNA.credentials))

    assert_problem(answer, 422, "preflight_failed", "bootstrap.credentials.client_cert")
    assert "TLS alert" not in answer.text
    asked = [(line["path"], line["status"]) for line in member.requests()[before:] if line["path"] != "/v1/bootstrap"]
    assert asked == [("/v1/cluster", 401)]
    assert SentSignIn.objects.filter(outcome=SignInOutcome.REFUSED).count() == 1


def test_a_certificate_refused_by_a_tls_alert_waits_for_the_operator(api, start, cluster, newcomer, sign_ins):  # noqa: F811
    attempt = follow(start(newcomer, member=cluster, credentials=credentials(STRANGER)))

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
    assert [line["connection"] for line in sign_ins() if line.get("connection") == ALERT] == [ALERT]
    assert newcomer.accepted() == []
    assert SentSignIn.objects.get().outcome == SignInOutcome.REFUSED
    shown = explanation(api, attempt)
    assert f"{cluster.address} refused the client certificate, by a TLS alert." in shown["meaning"]
    assert "1 sign-in of this wizard with this client certificate" in shown["meaning"]
    assert shown["part"] == "credentials.client_cert"

    again = api.post(f"/attempts/{attempt.pk}/credentials", STRANGER.credentials)
    assert_problem(again, 409, "credentials_held_back")
    api.post(f"/attempts/{attempt.pk}/credentials", ANNA.credentials)
    assert follow(attempt).status is State.SUCCEEDED
    assert not [line for line in key_lines(STRANGER) if line in "".join(database())]


def test_a_certificate_refused_by_401_waits_for_the_operator(api, start, member, fresh_node):  # noqa: F811
    before = len(member.requests())
    attempt = follow(start(fresh_node, member=member, credentials=credentials(ANNA)))

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
    asked = [(line["path"], line["status"]) for line in member.requests()[before:] if line["path"] != "/v1/bootstrap"]
    assert asked == [("/v1/cluster", 401)]
    assert fresh_node.accepted() == []
    assert SentSignIn.objects.filter(outcome=SignInOutcome.REFUSED).count() == 1
    meaning = explanation(api, attempt)["meaning"]
    assert "refused the client certificate. Nothing was sent" in meaning


def test_a_password_refused_by_such_a_cluster_can_be_replaced(api, start, cluster, newcomer):  # noqa: F811
    attempt = follow(start(newcomer, member=cluster, password="mistyped"))
    shown = explanation(api, attempt)

    answer = api.post(f"/attempts/{attempt.pk}/credentials", ANNA.credentials)

    assert any("client certificates only" in cause for cause in shown["causes"])
    assert answer.status_code == 200
    assert follow(attempt).status is State.SUCCEEDED
    assert not attempt.username


def test_a_certificate_is_refused_while_it_is_watched(api, cluster, newcomer):
    """The joined node takes certificates of another authority than the member does."""
    newcomer.stop()
    newcomer.options = ("--no-basic-auth", "--client-ca", str(newcomer.directory.with_suffix(".other.pem")))
    newcomer.directory.with_suffix(".other.pem").write_text(Authority("Somebody else").pem)
    newcomer.restart()
    api.post("/attempts", join(newcomer, cluster, ANNA.credentials))
    attempt = follow(Attempt.objects.get(), until=lambda attempt: attempt.refused_since)
    Attempt.objects.update(refused_since="2026-01-01T00:00:00Z")

    attempt = follow(attempt)

    assert attempt.status is State.NEEDS_OPERATOR
    refused = [line for line in newcomer.journal_lines() if line.get("connection") == ALERT]
    assert len(refused) == 2
    assert "by a TLS alert" in explanation(api, attempt)["meaning"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_key": STRANGER.key}, "does not belong"),
        ({"trusted_ca": AUTHORITY.pem}, "did not issue the certificate"),
        ({"trusted_ca": CERTIFICATE}, "cannot be read"),
    ],
    ids=["another key", "another authority", "no authority"],
)
def test_what_cannot_sign_in_is_refused_at_its_field(api, cluster, newcomer, changes, words):
    answer = api.post("/attempts", join(newcomer, cluster, ANNA.credentials | changes))

    field = f"bootstrap.credentials.{next(iter(changes))}"
    assert_problem(answer, 422, "invalid", field)
    assert words in answer.json()["fields"][field][0]
    assert not Attempt.objects.exists()
    assert not SealedCredentials.objects.exists()


def test_only_a_join_signs_in_by_client_certificate(api, newcomer):
    document = creating(newcomer)
    document["bootstrap"]["credentials"] = ANNA.credentials

    assert_problem(api.post("/attempts", document), 422, "invalid", "bootstrap.credentials")


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"client_cert": ANNA.pem}, "client_key"),
        ({"client_cert": ANNA.pem, "client_key": STRANGER.key}, "client_key"),
        ({**ANNA.credentials, "username": "anna"}, "client_cert"),
        ({}, "username"),
    ],
)
def test_credentials_given_again_are_refused_at_their_field(api, many, entered, field):
    [attempt] = many(1, state=State.NEEDS_OPERATOR)

    answer = api.post(f"/attempts/{attempt.pk}/credentials", entered)

    assert answer.status_code == 422
    assert field in answer.json()["fields"]


def test_a_trusted_ca_of_the_request_stays_with_a_new_certificate(api, start, cluster, newcomer):  # noqa: F811
    shown = ssl.get_server_certificate((cluster.bind, cluster.port))
    attempt = follow(start(newcomer, member=cluster, credentials=credentials(STRANGER, trusted_ca=shown)))

    api.post(f"/attempts/{attempt.pk}/credentials", ANNA.credentials)

    assert follow(attempt).status is State.SUCCEEDED
    assert UsedCredentials.objects.count() == 0
