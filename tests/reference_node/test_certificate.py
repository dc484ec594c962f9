import hashlib
import ipaddress
import socket
import ssl
import stat
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from .conftest import Caller, wait_for


def shown_by(node: Caller) -> x509.Certificate:
    return x509.load_pem_x509_certificate(ssl.get_server_certificate((node.host, node.port), timeout=10).encode())


def addresses_of(certificate: x509.Certificate) -> list:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.IPAddress)


def test_a_fresh_node_shows_a_self_signed_certificate_for_its_address(serve):
    certificate = shown_by(Caller(serve(bind="127.0.0.2").address))

    assert certificate.issuer == certificate.subject
    assert isinstance(certificate.public_key().curve, ec.SECP256R1)
    assert addresses_of(certificate) == [ipaddress.ip_address("127.0.0.2")]


def test_the_key_belongs_to_its_owner_alone(node, tmp_path):
    for name in ("certificate.pem", "node.json", "seal.key", "journal.jsonl"):
        path = tmp_path / "node-1" / name
        if path.exists():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, name


def test_two_nodes_show_two_certificates(serve):
    first, second = Caller(serve("a").address), Caller(serve("b").address)

    assert shown_by(first).serial_number != shown_by(second).serial_number


def test_a_create_replaces_the_certificate_once_and_while_it_runs(serve):
    node = Caller(serve(pace=0.5).address)
    before = shown_by(node)
    node.create()

    wait_for(lambda: shown_by(node) != before)
    during, state = shown_by(node), node.status()["state"]
    node.wait_until("completed")

    assert state == "creating_cluster"
    assert shown_by(node) == during
    assert addresses_of(during) == [ipaddress.ip_address("127.0.0.1")]


def test_a_node_that_joined_shows_the_certificate_of_its_cluster(member, node):
    before = shown_by(node)

    node.join(member)
    node.wait_until("completed")

    assert before != shown_by(member)
    assert shown_by(node) == shown_by(member)


def test_a_failed_bootstrap_keeps_the_certificate(node):
    before = shown_by(node)

    node.create(node={"identity": {"addr": "10.0.0.5"}})
    node.wait_until("error")

    assert shown_by(node) == before


def test_connections_under_the_old_certificate_are_closed(node):
    with node.connect() as connection:
        connection.sendall(b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")

        node.create()

        try:
            rest = connection.recv(65536)
            while rest and not rest.startswith(b"HTTP"):  # what was still to come of the body
                rest = connection.recv(65536)
        except ssl.SSLEOFError:
            rest = b""
    assert rest == b""


def test_the_data_directory_has_the_certificate_that_the_node_shows(member, tmp_path):
    kept = x509.load_pem_x509_certificate((tmp_path / "member" / "certificate.pem").read_bytes())

    assert kept == shown_by(member)


def test_tls_sessions_are_never_resumed(node):
    context = ssl._create_unverified_context()
    with context.wrap_socket(socket.create_connection((node.host, node.port), 10)) as first:
        first.sendall(b"GET /v1/bootstrap HTTP/1.1\r\nHost: node\r\n\r\n")
        first.recv(65536)
        session = first.session

    with context.wrap_socket(socket.create_connection((node.host, node.port), 10), session=session) as second:
        assert not second.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_current_versions_of_tls_are_spoken(idle_node, version):
    context = ssl._create_unverified_context()
    context.minimum_version = context.maximum_version = version

    with context.wrap_socket(socket.create_connection((idle_node.host, idle_node.port), 10)) as connection:
        assert len(hashlib.sha256(connection.getpeercert(binary_form=True)).digest()) == 32
        assert connection.version() == version.name.replace("_", ".")


def test_a_member_with_another_certificate_gets_no_report(serve, tmp_path):
    server = serve("first")
    first = Caller(server.address)
    first.create()
    first.wait_until("completed")
    stranger = serve("stranger", bind="127.0.0.4")
    membership = server.node.membership
    impostor = replace(membership.own, install="x", uid=2, addr="127.0.0.4", port=stranger.node.port)
    server.node.store_membership(membership.updated(impostor))

    assert first.nodes() == {1: "active", 2: "down"}
    assert "/_cluster/exchange" not in (tmp_path / "stranger" / "journal.jsonl").read_text()
