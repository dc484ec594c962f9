"""A cluster that takes client certificates, and no passwords when it was told so."""

import ssl

import pytest
import requests

from tests.client_certificates import Authority

from .conftest import MARIA, Caller, Unverified, wait_for

AUTHORITY = Authority()
ANNA = AUTHORITY.issue("anna@example.com")
STRANGER = Authority("Somebody else").issue("anna@example.com")


class Certified(Unverified):
    """Shows a client certificate."""

    def __init__(self, path):
        self.context = ssl._create_unverified_context()
        self.context.load_cert_chain(path)
        super().__init__()


@pytest.fixture
def options(tmp_path):
    path = tmp_path / "client-ca.pem"
    path.write_text(AUTHORITY.pem)
    return {"client_ca": path, "basic_auth": False}


@pytest.fixture
def certified(tmp_path):
    """Ask a node with a client certificate."""

    def caller(address, certificate=ANNA):
        path = tmp_path / "client.pem"
        path.write_text(certificate.pem + certificate.key)
        asking = Caller(address)
        asking.session.mount("https://", Certified(path))
        return asking

    return caller


@pytest.fixture
def member(serve, options, certified):
    """The address of the only node of a cluster that takes client certificates only."""
    server = serve("member", **options)
    Caller(server.address).create()
    wait_for(lambda: (status := certified(server.address).try_status()) and status["state"] == "completed")
    return server.address


def joined(node, member, credentials=ANNA.credentials, **changes):
    assert node.join(Caller(member), credentials=credentials, **changes).status_code == 200
    return node.wait_until("completed", "error")


def test_a_client_certificate_signs_in_and_a_password_does_not(member, certified, lines):
    answer = certified(member).get("/v1/cluster")
    by_password, unsigned = Caller(member).get("/v1/cluster", auth=MARIA), Caller(member).get("/v1/cluster")

    assert (answer.status_code, by_password.status_code, unsigned.status_code) == (200, 401, 401)
    assert answer.json()["mtls_certificate_authentication"] is True
    signed = [line for line in lines("member") if line.get("signed_in")]
    assert {(line["user"], line["authorization"]) for line in signed} == {("anna@example.com", False)}


def test_a_certificate_of_another_authority_gets_an_alert(member, certified, lines):
    with pytest.raises(requests.ConnectionError, match="ALERT_UNKNOWN_CA"):
        certified(member, STRANGER).get("/v1/cluster")

    assert {"connection": "client certificate refused"}.items() <= lines("member")[-1].items()


def test_both_ways_to_sign_in_can_be_allowed(serve, options, certified):
    server = serve(client_ca=options["client_ca"])
    Caller(server.address).create()
    Caller(server.address).wait_until("completed")

    assert certified(server.address).get("/v1/cluster").status_code == 200


def test_a_node_joins_with_the_client_certificate_it_was_given(member, serve, options, certified, lines):
    node = certified(serve("second", **options).address)

    assert joined(node, member)["state"] == "completed"
    assert [entry["status"] for entry in node.get("/v1/nodes").json()] == ["active", "active"]
    assert "anna@example.com" in {
        line.get("user") for line in lines("member") if line.get("path") == "/_cluster/admission"
    }


@pytest.mark.parametrize("certificate", [STRANGER, None], ids=["by an alert", "as a password"])
def test_a_refused_sign_in_of_a_joining_node_is_access_denied(member, node, certificate):
    credentials = certificate.credentials if certificate else {"username": MARIA[0], "password": MARIA[1]}

    failed = joined(node, member, credentials)

    assert (failed["state"], failed["error_code"]) == ("error", "access_denied")


def test_a_client_certificate_is_refused_by_a_cluster_without(serve, node):
    first = Caller(serve("first").address)
    first.create()
    first.wait_until("completed")

    failed = joined(node, first.address)

    assert (failed["error_code"], failed["error_details"]["message"]) == (
        "access_denied",
        f"{first.address} did not accept the client certificate",
    )


def test_a_joining_node_checks_its_member_against_a_trusted_ca(member, serve, certified, options):
    shown = ssl.get_server_certificate(tuple(member.split(":")))
    wrong = joined(certified(serve("second").address), member, {**ANNA.credentials, "trusted_ca": AUTHORITY.pem})
    right = joined(certified(serve("third", **options).address), member, {**ANNA.credentials, "trusted_ca": shown})

    assert (wrong["error_code"], right["state"]) == ("connect_error", "completed")


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        ({"client_cert": ANNA.pem}, "credentials.client_key"),
        ({"client_key": ANNA.key}, "credentials.client_key"),
        ({**ANNA.credentials, "password": "seven quiet otters"}, "credentials.password"),
    ],
)
def test_a_join_names_what_is_wrong_with_its_credentials(idle_node, member, credentials, field):
    answer = idle_node.join(Caller(member), credentials=credentials)

    assert (answer.status_code, answer.json()["description"].partition(":")[0]) == (400, field)
