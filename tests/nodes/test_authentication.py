"""Authentication with a client certificate, and requests to a cluster."""

import os
import ssl
import tempfile
from pathlib import Path

import pytest

from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.authentication import NodeSignIn
from setup_wizard.nodes.client import connect
from setup_wizard.nodes.errors import TLS_ALERT, NodeMisbehaved, NodeRefused, NodeUnreachable, NodeUntrusted
from tests.nodes.servers import Identity, always, answer
from tests.project.processes import wait_until


@pytest.fixture(scope="module")
def administrator():
    """A client certificate with its key."""
    return Identity("admin@example.com")


def sign_in_of(identity, key=None):
    return NodeSignIn("", Secret(""), identity.pem, Secret(key or identity.key))


@pytest.fixture
def member(serve, administrator):
    """A member that requests a client certificate and records it."""
    shown = []

    def script(peer):
        while peer.read_request():
            shown.append(peer.socket.getpeercert(binary_form=True))
            peer.answer(200 if shown[-1] else 401, {"name": "redis-prod.example.com"})

    node = serve(script)
    node.identity.context.load_verify_locations(cadata=administrator.pem)
    node.identity.context.verify_mode = ssl.CERT_OPTIONAL
    node.shown = shown
    return node


def test_client_certificate_signs_in_without_a_password(member, administrator):
    sign_in = sign_in_of(administrator)

    with connect(member.endpoint, member.pins, sign_in=sign_in) as node:
        assert node.cluster(sign_in).name == "redis-prod.example.com"

    assert member.shown == [administrator.der]
    assert "authorization" not in member.requests[0].headers


def test_client_certificate_is_only_shown_to_an_approved_node(member, administrator):
    sign_in = sign_in_of(administrator)
    pins = {Identity().certificate.fingerprint}

    with pytest.raises(NodeUntrusted), connect(member.endpoint, pins, sign_in=sign_in):
        pass

    member.stop()
    assert (member.connections, member.received) == (1, b"")


def test_client_certificate_with_a_wrong_key_is_rejected(member, administrator):
    sign_in = sign_in_of(administrator, "no key")

    with pytest.raises(NodeRefused), connect(member.endpoint, member.pins, sign_in=sign_in):
        pass


def test_client_certificate_on_a_disk_is_encrypted_and_removed(member, administrator, monkeypatch, tmp_path):
    read, load = [], ssl.SSLContext.load_cert_chain

    def load_and_read(context, path, **rest):
        read.append(Path(path).read_text())
        return load(context, path, **rest)

    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load_and_read)
    sign_in = sign_in_of(administrator)

    with connect(member.endpoint, member.pins, sign_in=sign_in) as node:
        assert node.cluster(sign_in).name == "redis-prod.example.com"

    assert member.shown == [administrator.der]
    assert "-----BEGIN ENCRYPTED PRIVATE KEY-----" in read[0]
    assert not any(line in read[0] for line in administrator.key.splitlines()[1:-1])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def stranger():
    """An unknown client certificate."""
    return Identity("admin@example.com")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_rejected_client_certificate_raises_node_refused(member, stranger, version):
    member.identity.context.maximum_version = version
    sign_in = sign_in_of(stranger)

    with pytest.raises(NodeRefused) as refused, connect(member.endpoint, member.pins, sign_in=sign_in) as node:
        node.cluster(sign_in)

    assert refused.value.status == TLS_ALERT


def test_client_certificate_alert_before_the_request_is_noticed(member, stranger):
    """With TLS 1.3 the alert may arrive before the request is sent."""
    sign_in = sign_in_of(stranger)

    with connect(member.endpoint, member.pins, sign_in=sign_in) as node:
        wait_until(lambda: not node.is_open, seconds=5)
        with pytest.raises(NodeRefused):
            node.cluster(sign_in)


def test_close_after_a_client_certificate_is_not_proof_of_unsent(serve, administrator):
    node = serve(lambda peer: None)
    sign_in = sign_in_of(administrator)

    with connect(node.endpoint, node.pins, sign_in=sign_in) as connection:
        wait_until(lambda: not connection.is_open, seconds=5)
        with pytest.raises(NodeUnreachable) as failure:
            connection.cluster(sign_in)

    assert not failure.value.is_unsent


def test_alert_without_a_client_certificate_is_unreachable(serve):
    node = serve(lambda peer: None)
    node.identity.context.verify_mode = ssl.CERT_REQUIRED

    with pytest.raises(NodeUnreachable), connect(node.endpoint, node.pins) as connection:
        connection.bootstrap_answer()


def test_password_is_sent_as_basic_authentication(member, maria_signs_in):
    with connect(member.endpoint, member.pins, sign_in=maria_signs_in) as node, pytest.raises(NodeRefused):
        node.nodes(maria_signs_in)

    assert member.requests[0].headers["authorization"].startswith("Basic ")
    assert member.connections == 1


@pytest.mark.parametrize("document", [[], {"name": 7}, {"bootstrap_status": {"state": "completed"}}])
def test_cluster_without_a_name_is_rejected(serve, maria_signs_in, document):
    node = serve(always(answer(200, document)))

    with connect(node.endpoint, node.pins) as connection, pytest.raises(NodeMisbehaved):
        connection.cluster(maria_signs_in)
